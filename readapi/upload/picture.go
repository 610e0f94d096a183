package upload

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"
	"golang.org/x/image/draw"

	"github.com/atrium-portal/atrium/domain"
)

const (
	// maxPixels bounds what decoding a picture may take: 8 bytes for each.
	maxPixels = 4_000_000
	// Logos stand 32 high on pages; twice that for fine screens, and as wide as the head of a page.
	logoWidth, logoHeight = 640, 96
)

// format is a kind of picture that is taken.
type format struct {
	mediaType string
	size      func([]byte) (image.Config, error)
	decode    func([]byte) (image.Image, error)
}

var formats = map[string]format{".png": pngFormat, ".jpg": jpegFormat, ".jpeg": jpegFormat}

var (
	pngFormat = format{
		"image/png",
		func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) },
	}
	jpegFormat = format{
		"image/jpeg",
		func(b []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(b)) },
		func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) },
	}
)

func wrongFile(code, message string) error {
	return &domain.Fault{Kind: domain.Invalid, Code: code, Field: fileField, Message: message}
}

// picture makes a picture anew, as PNG and no larger than a logo is shown. Name, content and decoder must agree on what
// it is.
func picture(name string, content []byte) (clean []byte, mediaType string, err error) {
	f, known := formats[strings.ToLower(path.Ext(name))]
	switch {
	case strings.EqualFold(path.Ext(name), ".svg"), mimetype.Detect(content).Is("image/svg+xml"):
		return nil, "", wrongFile("picture-svg", "SVG files can hold programs and are not taken. Save the picture as PNG and choose that.")
	case !known:
		return nil, "", wrongFile("picture-kind", "Choose a picture that is a PNG or JPEG file.")
	case !mimetype.Detect(content).Is(f.mediaType):
		return nil, "", wrongFile("picture-not-what-it-says", "The name of this file says that it is a picture, but its content is something else. Choose a PNG or JPEG file.")
	}
	size, err := f.size(content)
	if err != nil {
		return nil, "", errPicture
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxPixels/size.Height {
		return nil, "", wrongFile("picture-too-many-pixels", fmt.Sprintf("This picture is %d by %d pixels, which is too many. Save it smaller: %d by %d are enough.", size.Width, size.Height, logoWidth, logoHeight))
	}
	decoded, err := f.decode(content)
	if err != nil {
		return nil, "", errPicture
	}
	var b bytes.Buffer
	if err := png.Encode(&b, fitted(decoded)); err != nil {
		return nil, "", err
	}
	return b.Bytes(), "image/png", nil
}

var errPicture = wrongFile("picture-unreadable", "This picture is damaged. Open it in the program it was made with, save it again as PNG, and choose that.")

// fitted is a picture no larger than a logo is shown, in a form of its own: nothing of the file but its pixels.
func fitted(from image.Image) image.Image {
	size := from.Bounds().Size()
	width, height := size.X, size.Y
	if width > logoWidth {
		width, height = logoWidth, max(1, height*logoWidth/width)
	}
	if height > logoHeight {
		width, height = max(1, width*logoHeight/height), logoHeight
	}
	to := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	return to
}
