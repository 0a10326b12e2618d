// Package oracle holds tests only: what the library accepts, a second JOSE implementation and a plain reading of the same
// bytes must accept too, with the same claims. It is a package of its own so that its fuzz targets build quickly.
package oracle
