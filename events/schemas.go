package events

import "embed"

// Schemas holds a JSON Schema (2020-12) per event type, schema/<group>.<name>.v<N>.json, and schema/about.v1.json, which
// those of the facts refer to. A schema describes the event's data. It is for tools and tests; handlers use Validate.
//
//go:embed schema/*.json
var Schemas embed.FS
