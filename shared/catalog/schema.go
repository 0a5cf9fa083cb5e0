package catalog

import _ "embed"

//go:embed drills.schema.json
var schema string

// Schema returns the JSON Schema (2020-12) of drills.yaml for editors. It knows the fields that Load knows; Load finds
// more mistakes, such as names that are not there.
func Schema() []byte { return []byte(schema) }
