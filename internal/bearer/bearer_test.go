package bearer_test

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/entra-go/entra/internal/bearer"
)

// RFC 6750 section 2.1, with the case-insensitive scheme and the blanks of RFC 9110 sections 11.1 and 11.4.
var (
	credentials = regexp.MustCompile(`^(?i:Bearer) +([A-Za-z0-9\-._~+/]+=*)$`)
	otherScheme = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+\\-.^_`|~]+")
)

// token reads the header and checks what it finds.
func token(header http.Header) (string, error) {
	token, err := bearer.Token(header["Authorization"])
	if err == nil {
		err = bearer.Check(token)
	}
	if err != nil {
		return "", err
	}
	return token, nil
}

func TestToken(t *testing.T) {
	tests := map[string]struct {
		values []string
		want   string
		err    error
	}{
		"one token":                  {[]string{"Bearer abc"}, "abc", nil},
		"every character of a token": {[]string{"Bearer azAZ09-._~+/="}, "azAZ09-._~+/=", nil},
		"padding":                    {[]string{"Bearer a=="}, "a==", nil},
		"a scheme in lower case":     {[]string{"bearer abc"}, "abc", nil},
		"a scheme in mixed case":     {[]string{"bEARER abc"}, "abc", nil},
		"several blanks":             {[]string{"Bearer   abc"}, "abc", nil},

		"no header":        {nil, "", bearer.ErrNone},
		"another scheme":   {[]string{"Basic eDp5"}, "", bearer.ErrNone},
		"a longer scheme":  {[]string{"Bearers abc"}, "", bearer.ErrNone},
		"a shorter scheme": {[]string{"Beare abc"}, "", bearer.ErrNone},
		"a token alone":    {[]string{"e30.e30.AAAA"}, "", bearer.ErrNone},

		"two headers":             {[]string{"Bearer abc", "Bearer abc"}, "", bearer.ErrMalformed},
		"an empty second header":  {[]string{"Bearer abc", ""}, "", bearer.ErrMalformed},
		"an empty header":         {[]string{""}, "", bearer.ErrMalformed},
		"a blank in front":        {[]string{" Bearer abc"}, "", bearer.ErrMalformed},
		"a scheme alone":          {[]string{"Bearer"}, "", bearer.ErrMalformed},
		"a scheme and a blank":    {[]string{"Bearer "}, "", bearer.ErrMalformed},
		"a tab":                   {[]string{"Bearer\tabc"}, "", bearer.ErrMalformed},
		"a tab behind a blank":    {[]string{"Bearer \tabc"}, "", bearer.ErrMalformed},
		"no blank":                {[]string{"Bearer(abc"}, "", bearer.ErrMalformed},
		"a blank inside":          {[]string{"Bearer a b"}, "", bearer.ErrMalformed},
		"a blank behind":          {[]string{"Bearer abc "}, "", bearer.ErrMalformed},
		"two in one header":       {[]string{"Bearer abc, Bearer abc"}, "", bearer.ErrMalformed},
		"padding alone":           {[]string{"Bearer =="}, "", bearer.ErrMalformed},
		"padding in between":      {[]string{"Bearer a=b"}, "", bearer.ErrMalformed},
		"quotes":                  {[]string{`Bearer "abc"`}, "", bearer.ErrMalformed},
		"a line break":            {[]string{"Bearer abc\n"}, "", bearer.ErrMalformed},
		"a NUL":                   {[]string{"Bearer a\x00c"}, "", bearer.ErrMalformed},
		"a letter beyond ASCII":   {[]string{"Bearer é"}, "", bearer.ErrMalformed},
		"a look-alike of a blank": {[]string{"Bearer\u00a0abc"}, "", bearer.ErrMalformed},
		"a long token":            {[]string{"Bearer " + strings.Repeat("a", 1<<16)}, strings.Repeat("a", 1<<16), nil},
		"a long token, odd":       {[]string{"Bearer " + strings.Repeat("a", 1<<16) + "\x00"}, "", bearer.ErrMalformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			if test.values != nil {
				header["Authorization"] = test.values
			}
			got, err := token(header)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %q and %v, want %q and %v", got, err, test.want, test.err)
			}
		})
	}
}

func FuzzToken(f *testing.F) {
	for _, value := range []string{
		"", "Bearer", "Bearer ", "Bearer a", "bearer  a.b.c", "BEARER ==", "Bearer a=b", "Bearer a, Bearer b", "Bearer\ta", " Bearer a",
		"Basic eDp5", "DPoP a", "Bearer: a", "Bearer \"a\"", "Bearer a\r\n", "Bearer a\x00", "Ｂearer a", "Bearer {}", "Bearer é", "Beareſ a",
		"e30.e30.AAAA", "Bearer " + strings.Repeat("a", 100), "Bearer " + strings.Repeat(" ", 100), "Bearer a;b=c", "\x00",
	} {
		f.Add(value, uint8(1))
	}
	f.Add("Bearer a", uint8(0))
	f.Add("Bearer a", uint8(2))
	f.Fuzz(func(t *testing.T, value string, count uint8) {
		header := http.Header{"authorization": {"Bearer not-canonical"}, "Proxy-Authorization": {"Bearer proxy"}}
		for range count % 3 {
			header["Authorization"] = append(header["Authorization"], value)
		}
		token, err := token(header)
		want := error(nil)
		match := credentials.FindStringSubmatch(value)
		switch scheme := otherScheme.FindString(value); {
		case count%3 == 0:
			want = bearer.ErrNone
		case count%3 == 2:
			want = bearer.ErrMalformed
		case match != nil:
		case scheme != "" && !strings.EqualFold(scheme, "Bearer"):
			want = bearer.ErrNone
		default:
			want = bearer.ErrMalformed
		}
		if !errors.Is(err, want) {
			t.Fatalf("got error %v, want %v", err, want)
		}
		if want == nil && token != match[1] || want != nil && token != "" {
			t.Errorf("got token %q, want the text behind the scheme, and none with an error", token)
		}
		if err != nil && len(value) > 12 && strings.Contains(err.Error(), value) {
			t.Errorf("got error text %q, want one without the header", err)
		}
	})
}
