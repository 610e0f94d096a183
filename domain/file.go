package domain

// File is a file that was uploaded, as events name it. Its content is kept beside the log.
type File struct {
	ID     ID     `json:"id"`
	SHA256 string `json:"sha256"` // of the content, in lower-case hex
	Size   int64  `json:"size"`   // bytes
	Type   string `json:"type"`   // media type that the content was found to be: "image/png"
}

// FilePurpose is what a file is for. It decides what may be uploaded, and who may have it afterwards.
type FilePurpose string

// LogoFile is a firm's logo: a picture that everybody may see.
const LogoFile FilePurpose = "logo"
