package rig

import (
	"fmt"
	"math/bits"
	"time"
)

// durations counts durations by magnitude, in bounded space.
type durations struct {
	total   int
	longest time.Duration
	below   [64]int // by the number of bits of their microseconds
}

func (d *durations) add(t time.Duration) {
	d.total++
	d.longest = max(d.longest, t)
	d.below[bits.Len64(uint64(max(0, t/time.Microsecond)))]++
}

// bound returns a duration below which this share of them lies: a power of two microseconds.
func (d *durations) bound(share float64) time.Duration {
	left := int(share * float64(d.total))
	for i, n := range d.below {
		if left -= n; left < 0 {
			return min(time.Duration(1)<<i*time.Microsecond, d.longest)
		}
	}
	return d.longest
}

func (d *durations) String() string {
	return fmt.Sprintf("half below %s, 99 in 100 below %s, all below %s",
		d.bound(0.5).Round(10*time.Microsecond), d.bound(0.99).Round(10*time.Microsecond), d.longest.Round(10*time.Microsecond))
}
