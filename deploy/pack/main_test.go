package main

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPack_RefusesWhatIsTooLargeOrNotThere(t *testing.T) {
	if _, err := pack(t.TempDir()); err == nil {
		t.Error("a folder without a bootstrap was packed")
	}
	big := make([]byte, maxZip+1)
	_, _ = rand.Read(big) // it never fails
	folder := folderWith(t, "big", big)
	if _, err := pack(folder); err == nil || !strings.Contains(err.Error(), "the limit is") {
		t.Errorf("a zip above the limit: %v", err)
	}
}

func TestPack_SameBytesFromTheSameBootstrap(t *testing.T) {
	content := bytes.Repeat([]byte("firedrill "), 5000)
	var zips [2][]byte
	for i := range zips {
		folder := folderWith(t, "start", content)
		if _, err := pack(folder); err != nil {
			t.Fatal(err)
		}
		var err error
		if zips[i], err = os.ReadFile(filepath.Join(folder, "start.zip")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Error("two zips of the same file differ")
	}
	r, err := zip.NewReader(bytes.NewReader(zips[0]), int64(len(zips[0])))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 1 || r.File[0].Name != "bootstrap" || r.File[0].Mode().Perm() != 0o755 {
		t.Errorf("the zip holds %d files; the first is %s with mode %s", len(r.File), r.File[0].Name, r.File[0].Mode())
	}
}

func folderWith(t *testing.T, name string, bootstrap []byte) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "bootstrap"), bootstrap, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}
