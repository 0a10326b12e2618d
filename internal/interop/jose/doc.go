// Package jose holds tests only: what the library accepts, a second JOSE implementation (go-jose) and the oracle of the
// library's own tests must accept too, with the same claims. It is a package of its own so that its fuzz targets build
// quickly.
package jose
