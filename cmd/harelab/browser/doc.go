// Package browser looks at harelab's pages in a real browser, headless Chromium: at the
// pages of results folders, and at whatever else harelab serves. Its tests have the build
// tag browser, because they need that program besides Go; `make browser` runs them.
//
// The tests look at every page at the width of a desk and of a phone, light and dark, once
// with only the DejaVu fonts and once with only Liberation, which are the widest and the
// narrowest of the faces that people have. check.js says what a page must not have.
package browser
