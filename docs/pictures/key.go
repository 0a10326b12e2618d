package main

import "fmt"

// The picture's axis of hours since the first token.
const (
	hours    = 72
	hourW    = 5 // whole pixels
	hourZero = margin + (inner-hours*hourW)/2
)

func at(hour float64) int { return hourZero + int(hour*hourW) }

func keyLife() string {
	c := newCanvas(700, "The life of a key",
		"A key stays held while it vanishes from Entra’s document for some hours and comes back, and while Entra is away; it is dropped 25 hours after the last good document that named it. A new key is brought by one fetch at its first token. Unknown key IDs cost fetches at growing distances only.")
	for hour := 0; hour <= hours; hour += 12 {
		c.line(at(float64(hour)), 56, at(float64(hour)), 386, "line")
		c.anchored(at(float64(hour)), 404, "soft small", "middle", fmt.Sprint(hour))
	}
	c.anchored(width-margin, 424, "soft small", "end", "hours since the first token")
	c.outage()
	c.oldKey()
	c.newKey()
	c.fetches()
	c.allowance()
	return c.done()
}

const awayFrom, awayUntil = 43, 50

func (c *canvas) outage() {
	c.bar(at(awayFrom), at(awayUntil), 56, 330, "wash")
	c.anchored(at((awayFrom+awayUntil)/2), 72, "bad small", "middle", "Entra away")
}

const (
	vanishes, returns = 13, 16
	withdrawn         = 34
	lane              = 18
)

func (c *canvas) oldKey() {
	c.text(hourZero, 92, "name", "A key")
	c.text(hourZero, 116, "soft small", "in Entra’s document: vanishes, comes back")
	c.bar(at(0), at(vanishes), 124, lane, "accent")
	c.bar(at(returns), at(withdrawn), 124, lane, "accent")
	c.text(at(withdrawn)+6, 138, "small soft", "withdrawn")
	c.text(hourZero, 162, "soft small", "held here")
	c.bar(at(0), at(withdrawn), 170, lane, "good")
	c.bar(at(withdrawn), at(withdrawn+25), 170, lane, "good fade")
	c.line(at(withdrawn), 120, at(withdrawn), 192, "mark")
	c.anchored(at(withdrawn+25), 204, "small soft", "end", "25 hours after the last document that named it")
}

func (c *canvas) newKey() {
	const published, firstToken = 28, 31
	c.text(hourZero, 238, "name", "The next key")
	c.text(hourZero, 272, "soft small", "in Entra’s document")
	c.bar(at(published), at(hours), 258, lane, "accent")
	c.text(hourZero, 298, "soft small", "held here: its first token")
	c.text(hourZero, 314, "soft small", "waits for one fetch")
	c.bar(at(firstToken), at(hours), 290, lane, "good")
	c.line(at(firstToken), 254, at(firstToken), 360, "mark")
}

func (c *canvas) fetches() {
	const y = 364
	c.text(hourZero, y-16, "soft small", "fetches")
	for hour := 0.0; hour < hours; hour += 1.5 {
		if hour > awayFrom && hour < awayUntil {
			continue
		}
		c.dot(at(hour), y, 2, "accent")
	}
	for hour := awayFrom + 1.25; hour < awayUntil; hour += 2.25 {
		c.cross(at(hour), y)
	}
	c.dot(at(31), y, 5, "accent")
	c.paragraph(452, "An hour after the last good document, the next use of a",
		"key starts a fetch beside the request: a token of a key that",
		"is held never waits. Failed, empty and odd documents drop",
		"nothing; while they last, Entra is asked about once a minute.")
}

// allowance draws when a flood of unknown key IDs causes fetches: after one that did not bring the key, the next
// starts no sooner than 5 seconds later, doubling to a minute.
func (c *canvas) allowance() {
	const y, seconds = 592, 630
	x := func(s int) int { return hourZero + s*hours*hourW/seconds }
	c.line(margin, 536, width-margin, 536, "line")
	c.text(margin, 564, "name", "Invented key IDs, a thousand a second")
	c.bar(x(0), x(seconds), y-4, 8, "wash")
	for minute := 0; minute <= 10; minute++ {
		c.line(x(60*minute), y+10, x(60*minute), y+15, "mark")
		c.anchored(x(60*minute), y+30, "soft small", "middle", fmt.Sprint(minute))
	}
	c.anchored(width-margin, y+50, "soft small", "end", "minutes since the first")
	for wait, now := 5, 0; now < seconds; wait = min(2*wait, 60) {
		c.dot(x(now), y, 4, "accent")
		now += wait
	}
	c.paragraph(664, "A fetch that does not bring the key allows the next one",
		"5, 10, 20, 40 … 60 seconds later. Between them: 401.")
}
