// Returns the faults of the page, each as "kind: what is wrong". The kinds are
//
//   sideways   the page scrolls sideways
//   cut        a cell of a table is narrower than its text, or a table than its columns
//   overlap    two labels of a chart lie on each other
//   covered    a shape of a chart hides a label
//   outside    a label reaches out of its chart
//   small      a label is too small to read
//   contrast   text is too pale for what lies under it
(smallest, least) => {
  const faults = new Set();
  const fault = (kind, text) => faults.add(kind + ': ' + text);
  document.querySelectorAll('details').forEach(d => d.open = true);
  const width = document.documentElement.clientWidth;
  const seen = e => e.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const words = e => JSON.stringify(e.textContent.trim().replace(/\s+/g, ' ').slice(0, 60));
  const px = x => x.toFixed(1) + ' px';

  // What is wider than the page, unless a box around it scrolls on purpose.
  const scrolls = e => e && (['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX) && e !== document.documentElement || scrolls(e.parentElement));
  if (document.documentElement.scrollWidth > width) {
    fault('sideways', `the page is ${document.documentElement.scrollWidth} px wide in a window of ${width} px`);
    for (const e of document.querySelectorAll('body *')) {
      const end = e.getBoundingClientRect().left + e.scrollWidth;
      if (seen(e) && end > width + 0.5 && !scrolls(e) && !e.closest('svg')) fault('sideways', `<${e.localName}> ends at ${px(end)}: ${words(e)}`);
    }
  }

  // Tables may scroll in a narrow window; in a wide one they fit.
  for (const table of document.querySelectorAll('table')) {
    if (!seen(table)) continue;
    for (const cell of table.querySelectorAll('td,th')) {
      if (cell.scrollWidth > cell.clientWidth + 1) fault('cut', `a cell of ${cell.clientWidth} px for ${cell.scrollWidth}: ${words(cell)}`);
    }
    const box = table.parentElement;
    if (width >= 1000 && box.scrollWidth > box.clientWidth) fault('cut', `a table of ${box.scrollWidth} px in ${box.clientWidth}: ${words(table)}`);
  }

  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const known = new Map();
  const rgba = color => {
    if (!known.has(color)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const d = canvas.getImageData(0, 0, 1, 1).data;
      known.set(color, [d[0], d[1], d[2], d[3] / 255]);
    }
    return known.get(color);
  };
  const over = (top, share, below) => {
    const a = top[3] * share;
    return [0, 1, 2].map(i => a * top[i] + (1 - a) * below[i]);
  };
  const light = c => {
    const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [x, y] = [light(a), light(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  const ground = e => {
    if (!e) return matchMedia('(prefers-color-scheme:dark)').matches ? [18, 18, 18] : [255, 255, 255];
    const c = rgba(getComputedStyle(e).backgroundColor);
    return c[3] === 0 ? ground(e.parentElement) : over(c, 1, ground(e.parentElement));
  };
  const judge = (e, color, share, below) => {
    const c = contrast(over(color, share, below), below);
    if (c < least) fault('contrast', `${c.toFixed(2)} of ${words(e)}, in rgb(${over(color, share, below).map(Math.round)}) on rgb(${below.map(Math.round)})`);
  };

  // Text outside of charts.
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || e.closest('svg,script,style') || !seen(e)) continue;
    judge(e, rgba(getComputedStyle(e).color), 1, ground(e));
  }

  // Labels of charts. The box of a text has room above and below its letters, which
  // may overlap: ink is the box without it.
  for (const svg of document.querySelectorAll('svg')) {
    if (!seen(svg)) continue;
    const frame = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width ? frame.width / svg.viewBox.baseVal.width : 1;
    const shapes = [...svg.querySelectorAll('rect,path,circle,polygon,ellipse')].map(e => {
      const s = getComputedStyle(e);
      return {e, fill: s.fill, share: s.fillOpacity * s.opacity, box: e.getBoundingClientRect()};
    }).filter(s => s.fill !== 'none' && s.share > 0);
    const labels = [...svg.querySelectorAll('text')].filter(seen).map(e => {
      const b = e.getBoundingClientRect();
      const m = e.getCTM(), upright = Math.abs(m.b) > Math.abs(m.a);
      const dx = upright ? 0.2 * b.width : 0, dy = upright ? 0 : 0.2 * b.height;
      return {e, left: b.left + dx, right: b.right - dx, top: b.top + dy, bottom: b.bottom - dy};
    }).filter(l => l.right > l.left);
    labels.forEach((l, i) => {
      const size = parseFloat(getComputedStyle(l.e).fontSize) * scale;
      if (size < smallest) fault('small', `${words(l.e)} has letters of ${px(size)}`);
      const beyond = Math.max(frame.left - l.left, l.right - frame.right, frame.top - l.top, l.bottom - frame.bottom);
      if (beyond > 1) fault('outside', `${words(l.e)} reaches ${px(beyond)} out of its chart`);
      for (const k of labels.slice(i + 1)) {
        const x = Math.min(l.right, k.right) - Math.max(l.left, k.left);
        const y = Math.min(l.bottom, k.bottom) - Math.max(l.top, k.top);
        if (x > 0.5 && y > 0.5) fault('overlap', `${words(l.e)} and ${words(k.e)} by ${px(x)} x ${px(y)}`);
      }
      const s = getComputedStyle(l.e);
      for (const at of [0.1, 0.5, 0.9]) {
        const x = l.left + at * (l.right - l.left), y = (l.top + l.bottom) / 2;
        let below = ground(svg);
        for (const shape of shapes) {
          const b = shape.box;
          if (x < b.left || x > b.right || y < b.top || y > b.bottom) continue;
          if (!shape.e.isPointInFill(new DOMPoint(x, y).matrixTransform(shape.e.getScreenCTM().inverse()))) continue;
          if (l.e.compareDocumentPosition(shape.e) & Node.DOCUMENT_POSITION_PRECEDING) below = over(rgba(shape.fill), shape.share, below);
          else if (rgba(shape.fill)[3] * shape.share > 0.3) fault('covered', words(l.e));
        }
        judge(l.e, rgba(s.fill), s.fillOpacity * s.opacity, below);
      }
    });
  }
  return [...faults];
}
