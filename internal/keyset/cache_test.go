package keyset

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// good is an entry of a document of one key, fetched at start.
func goodEntry(t testing.TB, d *document) []byte {
	t.Helper()
	text := `{"keys":[{"kty":"RSA","kid":"a","n":"` + strings.Repeat("qqqq", 85) + `qg","e":"AQAB"}]}`
	data, err := (&entry{Name: d.name, Fetched: start, Keys: []byte(text)}).encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func keysDocument(url, owner string) *document {
	s := Source{KeysURL: url}
	return &document{source: s, name: nameOf(s, owner)}
}

func TestWhatAnEntryBrings(t *testing.T) {
	own, others := keysDocument("https://login.example/keys", "api"), keysDocument("https://login.example/other", "api")
	authority := &document{source: Source{MetadataURL: "https://login.example/x", Check: func(string, string) error { return nil }}, name: own.name}
	for _, test := range []struct {
		name string
		of   *document
		age  time.Duration
		want bool
	}{
		{"just fetched", own, 0, true},
		{"of a moment ago", own, 1, true},
		{"just young enough", own, 25*time.Hour - 1, true},
		{"too old", own, 25 * time.Hour, false},
		{"much too old", own, 1 << 62, false},
		{"from the future", own, -1, false},
		{"from a distant future", own, -1 << 62, false},
		{"another document's", others, 0, false},
		{"without the metadata that the document needs", authority, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := decodeEntry(goodEntry(t, own))
			if err != nil {
				t.Fatal(err)
			}
			now := start.Add(test.age)
			got, err := e.held(test.of, nil, now)
			if (err == nil) != test.want {
				t.Fatalf("got %v, want keys: %v", err, test.want)
			}
			if test.want && (len(got.keys) != 1 || got.keys[0].ID != "a" || !got.at.Equal(start)) {
				t.Errorf("got %+v, want the key a as of %v", got, start)
			}
		})
	}
	e, err := decodeEntry(goodEntry(t, own))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.held(own, map[string]bool{"a": true}, start); err == nil {
		t.Error("a distrusted key: got no error, want one: no other is there")
	}
}

// A large entry is refused before its sum is made.
func TestALargeEntryIsNotRead(t *testing.T) {
	if _, err := decodeEntry(make([]byte, maxEntry+1)); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v, want an error that says that it is too large", err)
	}
}

func TestNamesOfEntries(t *testing.T) {
	a := keysDocument("https://login.example/keys", "api").name
	for _, other := range []*document{keysDocument("https://login.example/keys", "other"), keysDocument("https://login.example/keys?", "api")} {
		if other.name == a {
			t.Errorf("got the name %s twice, want another for another document or owner", a)
		}
	}
	if again := keysDocument("https://login.example/keys", "api").name; again != a {
		t.Errorf("got the names %s and %s for one document, want one", a, again)
	}
	if strings.Contains(a, "api") || strings.Contains(a, "login") {
		t.Errorf("got the name %s, want it to give nothing away", a)
	}
}

// FuzzEntry shows that only a whole entry is read, and that none causes a panic.
func FuzzEntry(f *testing.F) {
	d := keysDocument("https://login.example/keys", "api")
	good := goodEntry(f, d)
	f.Add(good)
	for _, text := range []string{"", "\n", "{}\n", "{}", `{"name":1}`, "null\n0\n", string(good[:len(good)/2]), string(good) + "\n", strings.Repeat("[", 10_000)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEntry(data)
		if err != nil {
			return
		}
		got, err := e.held(d, nil, start.Add(time.Hour))
		if err == nil && (e.Name != d.name || len(got.keys) == 0) {
			t.Errorf("got %+v of the entry %q, want keys of this document's entry alone", got, data)
		}
		again, err := e.encode()
		if err == nil && bytes.Equal(again, good) != bytes.Equal(data, good) {
			t.Errorf("got the good entry again from %q", data)
		}
	})
}
