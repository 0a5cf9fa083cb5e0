// Command pack zips built functions for the clouds: each folder's bootstrap goes into <folder>/<name>.zip, the same bytes from the same
// bootstrap on any machine. It ends with status 1 when a zip is larger than the clouds' cold starts should bear.
package main

import (
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// maxZip is the most that a zip may weigh, in bytes.
const maxZip = 6_000_000

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: pack build/start build/poll ...")
		os.Exit(2)
	}
	var errs []error
	for _, folder := range os.Args[1:] {
		size, err := pack(folder)
		if err != nil {
			errs = append(errs, fmt.Errorf("pack %s: %w", folder, err))
			continue
		}
		fmt.Printf("%-18s %5.2f MB\n", folder, float64(size)/1e6)
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pack writes a folder's zip and returns its size.
func pack(folder string) (int64, error) {
	binary, err := os.ReadFile(filepath.Join(folder, "bootstrap"))
	if err != nil {
		return 0, err
	}
	path := filepath.Join(folder, filepath.Base(folder)+".zip")
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	err = errors.Join(write(file, binary), file.Close())
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	if info.Size() > maxZip {
		return info.Size(), fmt.Errorf("%d bytes, the limit is %d", info.Size(), maxZip)
	}
	return info.Size(), nil
}

// write writes a zip with one executable file in it; nothing in it depends on when or where that was.
func write(w io.Writer, bootstrap []byte) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	h.SetMode(0o755)
	f, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	if _, err := f.Write(bootstrap); err != nil {
		return err
	}
	return z.Close()
}
