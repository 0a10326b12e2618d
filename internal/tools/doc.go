// Package tools is empty. Its go.mod names the programs that the scripts in .ci run, so that their versions and sums are
// kept as those of every other dependency are: go -C internal/tools tool -n staticcheck prints the path of the built program.
package tools
