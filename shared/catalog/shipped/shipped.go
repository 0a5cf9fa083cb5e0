// Package shipped holds the catalogue that comes with Firedrill. It is the drills.yaml at the top of the repository,
// byte for byte, so that the local command has it wherever it runs; a test holds the two together.
package shipped

import (
	"embed"

	"github.com/firedrill/firedrill/shared/catalog"
)

// Name is the file's name in FS.
const Name = "drills.yaml"

// FS holds the catalogue.
//
//go:embed drills.yaml
var FS embed.FS

// Load reads the catalogue.
func Load() (*catalog.Catalog, error) { return catalog.Parse(FS, Name) }
