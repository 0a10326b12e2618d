// Package vectors holds tests only: signatures and keys that others made to find mistakes, put before the library.
package vectors
