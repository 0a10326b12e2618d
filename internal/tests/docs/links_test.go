// Package docs_test checks what the documents say: their links, the options, reasons and challenges that they name, and the
// tests on which their promises rest.
package docs_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/tests/testbed"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^()\s]+(?:\([^()]*\)[^()\s]*)?)\)`)
	htmlLink     = regexp.MustCompile(`(?:src|href|srcset)="([^"]+)"`)
	heading      = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	notInAnchor  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	code         = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
)

// TestLinks follows every link of every document inside the repository; of the others it checks the form.
func TestLinks(t *testing.T) {
	checked := 0
	for _, document := range documents(t) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		body := code.ReplaceAllString(string(text), "")
		for _, pattern := range []*regexp.Regexp{markdownLink, htmlLink} {
			for _, match := range pattern.FindAllStringSubmatch(body, -1) {
				checked++
				if problem := linkProblem(document, match[1]); problem != "" {
					t.Errorf("%s: link %s: %s", document, match[1], problem)
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no link found in any document")
	}
	t.Logf("%d links checked", checked)
}

// documents returns the Markdown files of the repository.
func documents(t *testing.T) (found []string) {
	err := filepath.WalkDir(testbed.Root(t), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git"):
			return fs.SkipDir
		case strings.HasSuffix(path, ".md"):
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// linkProblem returns what is wrong with a link of a document, or "".
func linkProblem(document, link string) string {
	u, err := url.Parse(link)
	switch {
	case err != nil:
		return err.Error()
	case u.Scheme == "https" || u.Scheme == "mailto":
		return ""
	case u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1"):
		return ""
	case u.Scheme != "":
		return "scheme " + u.Scheme
	}
	target := document
	if u.Path != "" {
		target = filepath.Join(filepath.Dir(document), filepath.FromSlash(u.Path))
	}
	if _, err := os.Stat(target); err != nil {
		return "no such file"
	}
	if u.Fragment != "" && strings.HasSuffix(target, ".md") && !hasAnchor(target, u.Fragment) {
		return "no such heading"
	}
	return ""
}

// hasAnchor reports whether a heading of the document has this anchor, made as code hosts make it.
func hasAnchor(document, anchor string) bool {
	text, err := os.ReadFile(document)
	if err != nil {
		return false
	}
	for _, match := range heading.FindAllStringSubmatch(string(text), -1) {
		title := notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(match[1])), "")
		if strings.ReplaceAll(title, " ", "-") == anchor {
			return true
		}
	}
	return false
}
