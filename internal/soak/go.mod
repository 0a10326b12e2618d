module github.com/entra-go/entra/internal/soak

go 1.26

require github.com/entra-go/entra v0.0.0

require (
	github.com/MicahParks/jwkset v0.11.4 // indirect
	github.com/MicahParks/keyfunc/v3 v3.9.1 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/maypok86/otter/v2 v2.4.0 // indirect
	golang.org/x/time v0.15.0 // indirect
)

replace github.com/entra-go/entra => ../../
