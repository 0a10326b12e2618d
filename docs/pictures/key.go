package main

import "fmt"

// Columns of the picture: hours since the first token.
const (
	laneX    = 196
	hourZero = laneX
	hours    = 72
	hourW    = (width - 28 - hourZero) / hours // whole pixels
)

func at(hour float64) int { return hourZero + int(hour*hourW) }

func keyLife() string {
	c := newCanvas(592, "The life of a key",
		"A key stays held while it vanishes from Entra’s document for some hours and comes back, and while Entra is away; it is dropped 25 hours after the last good document that named it. A new key is brought by one fetch at its first token. Unknown key IDs cost fetches at growing distances only.")
	c.text(28, 40, "title", "The life of a key")
	c.anchored(width-28, 40, "soft small", "end", "Hours since the first token")
	for hour := 0; hour <= hours; hour += 12 {
		c.line(at(float64(hour)), 62, at(float64(hour)), 342, "line")
		c.anchored(at(float64(hour)), 358, "soft small", "middle", fmt.Sprint(hour))
	}
	c.outage()
	c.oldKey()
	c.newKey()
	c.fetches()
	c.allowance()
	return c.done()
}

const awayFrom, awayUntil = 43, 50

func (c *canvas) outage() {
	c.bar(at(awayFrom), at(awayUntil), 62, 280, "wash")
	c.anchored(at((awayFrom+awayUntil)/2), 80, "bad small", "middle", "Entra away")
}

const (
	vanishes, returns = 13, 16
	withdrawn         = 34
	lane              = 18
)

func (c *canvas) oldKey() {
	c.text(28, 110, "name", "A key")
	c.text(28, 134, "soft", "in Entra’s document")
	c.bar(at(0), at(vanishes), 120, lane, "accent")
	c.bar(at(returns), at(withdrawn), 120, lane, "accent")
	c.anchored(at(14.5), 112, "small soft", "middle", "vanishes, comes back")
	c.text(at(withdrawn)+6, 134, "small soft", "withdrawn")
	c.text(28, 162, "soft", "held here")
	c.bar(at(0), at(withdrawn), 148, lane, "good")
	c.bar(at(withdrawn), at(withdrawn+25), 148, lane, "good fade")
	c.line(at(withdrawn), 116, at(withdrawn), 170, "mark")
	c.text(at(withdrawn)+6, 184, "small soft", "25 hours after the last document that named it")
}

func (c *canvas) newKey() {
	const published, firstToken = 28, 31
	c.text(28, 222, "name", "The next key")
	c.text(28, 246, "soft", "in Entra’s document")
	c.bar(at(published), at(hours), 232, lane, "accent")
	c.text(28, 274, "soft", "held here")
	c.bar(at(firstToken), at(hours), 260, lane, "good")
	c.line(at(firstToken), 228, at(firstToken), 320, "mark")
	c.anchored(at(firstToken)-6, 274, "small soft", "end", "its first token waits for one fetch")
}

func (c *canvas) fetches() {
	c.text(28, 322, "soft", "fetches")
	for hour := 0.0; hour < hours; hour += 1.5 {
		if hour > awayFrom && hour < awayUntil {
			continue
		}
		c.dot(at(hour), 317, 2, "accent")
	}
	for hour := awayFrom + 1.0; hour < awayUntil; hour += 1.4 {
		c.cross(at(hour), 317)
	}
	c.dot(at(31), 317, 5, "accent")
	c.text(28, 388, "soft", "An hour after the last good document, the next use of a key starts a fetch beside the request: a token of a key that is")
	c.text(28, 408, "soft", "held never waits. Failed, empty and odd documents drop nothing; while they last, Entra is asked about once a minute.")
}

// allowance draws when a flood of unknown key IDs causes fetches: after one that did not bring the key, the next
// starts no sooner than 5 seconds later, doubling to a minute.
func (c *canvas) allowance() {
	const y, seconds = 504, 630
	x := func(s int) int { return 40 + s*(width-84)/seconds }
	c.line(28, 434, width-28, 434, "line")
	c.text(28, 464, "name", "Invented key IDs, a thousand a second")
	c.anchored(width-28, 464, "soft small", "end", "Minutes since the first")
	c.bar(x(0), x(seconds), y-4, 8, "wash")
	for minute := 0; minute <= 10; minute++ {
		c.line(x(60*minute), y+10, x(60*minute), y+15, "mark")
		c.anchored(x(60*minute), y+32, "soft small", "middle", fmt.Sprint(minute))
	}
	for wait, now := 5, 0; now < seconds; wait = min(2*wait, 60) {
		c.dot(x(now), y, 5, "accent")
		now += wait
	}
	c.text(28, 568, "soft", "A fetch that does not bring the key allows the next 5 seconds later, then 10, 20, 40 … a minute. Between them: 401, at once.")
}
