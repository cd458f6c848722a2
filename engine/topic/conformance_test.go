package topic_test

import (
	"testing"

	"harelab/engine/topic"
	"harelab/engine/topic/topictest"
)

func TestConformance(t *testing.T) {
	for _, s := range topic.Strategies() {
		t.Run("strategy="+s.Name, func(t *testing.T) { topictest.Run(t, s) })
	}
}
