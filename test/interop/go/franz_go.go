// Package interop names what the interop runs build of other modules, so that go.mod keeps their versions.
package interop

import _ "github.com/twmb/franz-go/pkg/kgo"
