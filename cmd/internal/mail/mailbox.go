package mail

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"strings"
)

const mailboxStyle = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
article{border:1px solid #8886;border-radius:.75rem;padding:1rem 1.5rem;margin:1rem 0}
h2{font-size:1.1rem;margin:0}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}p{margin:.25rem 0}`

var mailboxStyleHash = func() string {
	sum := sha256.Sum256([]byte(mailboxStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}()

// piece is a piece of text, or an address in it.
type piece struct{ Text, Address string }

// pieces cuts a text where it names addresses.
func pieces(text string) (list []piece) {
	for {
		at := address.FindStringIndex(text)
		if at == nil {
			return append(list, piece{Text: text})
		}
		list = append(list, piece{Text: text[:at[0]]}, piece{Address: text[at[0]:at[1]]})
		text = text[at[1]:]
	}
}

var mailbox = template.Must(template.New("mailbox").Funcs(template.FuncMap{"pieces": pieces, "trim": strings.TrimSpace}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mailbox</title>
<style>{{.Style}}</style>
</head>
<body>
<h1>Mailbox</h1>
<p>Mail that would have been sent, the newest first. It is kept in {{.Folder}}; programs read <a href="/dev/mail.json">/dev/mail.json</a>.</p>
{{range .Messages}}<article>
<h2>{{.Subject}}</h2>
<p>To {{.To}}, {{.Time.Format "2 January 2006 15:04:05"}}</p>
<pre>{{range pieces (trim .Text)}}{{if .Address}}<a href="{{.Address}}">{{.Address}}</a>{{else}}{{.Text}}{{end}}{{end}}</pre>
</article>
{{else}}<p>No mail yet.</p>
{{end}}</body>
</html>
`))
