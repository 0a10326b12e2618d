// Package interop holds tests only: Microsoft's own clients and others, Apache and oauth2-proxy, a browser and two older
// validators, and below it a second JOSE implementation, clients of the Model Context Protocol, Caddy, Kubernetes, and test
// vectors that others wrote, each against the library and its fake tenant. It is a module of its own so that what they need stays out of the library's go.mod.
//
// Node, Chromium, Python with some of Debian's packages and others are needed by some of the tests. Where one is missing
// those tests fail and say what to install. ENTRA_SKIP_MISSING=1 in the environment skips them instead, unless
// ENTRA_CI_REQUIRE is 1. Pictures of the browser test are written to the folder that ENTRA_ARTIFACTS names. The vectors are
// in the folder that ENTRA_WYCHEPROOF names, a clone of https://github.com/C2SP/wycheproof; without it go test says
// "[no tests to run]" of them.
package interop
