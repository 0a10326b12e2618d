// The chart of the last minute: a bar for each request, a mark for each fetch of the keys.
const seconds = 60
const lane = 26
const gap = 30
const left = 2
const rows = 3 // of labels; an event that finds no room in them gets a line without a label
const top = rows * 15 + 6

function svg(name, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  if (text !== undefined) node.textContent = text
  return node
}

// draw replaces the chart in the element by one of the ticks, oldest first. now is the server's time.
export function draw(element, ticks, now) {
  const width = Math.max(280, element.clientWidth)
  const height = top + 3 * lane + 2 * gap + 34
  const x = at => left + (width - 2 * left) * (1 - (now - at) / (seconds * 1000))
  const y = index => top + 16 + index * (lane + gap)
  const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, 'aria-hidden': 'true' })
  const visible = ticks.filter(tick => now - tick.at < seconds * 1000)

  const bottom = y(2) + 12
  for (const [from, to] of outages(visible)) {
    root.append(svg('rect', { class: 'outage', x: x(from), y: 4, width: Math.max(2, x(to) - x(from)), height: bottom }))
  }
  const titles = [['The same token', 'kept'], ['A new token each time', 'new'], ['Fetches of the keys', null]]
  titles.forEach(([title, name], index) => {
    root.append(svg('text', { class: 'lane', x: left, y: y(index) - 8 }, title))
    const last = visible.at(-1)
    if (name && last) root.append(svg('text', { class: `now ${style(last[name])}`, x: width - left, y: y(index) - 8, 'text-anchor': 'end' }, word(last[name])))
    root.append(svg('line', { class: 'ground', x1: left, x2: width - left, y1: y(index) + (index < 2 ? lane : 12), y2: y(index) + (index < 2 ? lane : 12) }))
  })
  const bar = Math.max(1.5, (width - 2 * left) / (seconds * 2) - 1.5)
  for (const tick of visible) {
    root.append(request(x(tick.at), y(0), bar, tick.kept), request(x(tick.at), y(1), bar, tick.new))
  }
  root.append(...fetches(visible, x, y(2) + 12), ...events(visible, x, bottom + 4, width))
  for (const ago of [60, 45, 30, 15, 0]) {
    const anchor = ago === 60 ? 'start' : ago === 0 ? 'end' : 'middle'
    root.append(svg('text', { class: 'axis', x: x(now - ago * 1000), y: height - 4, 'text-anchor': anchor }, ago === 0 ? 'now' : `${ago} s`))
  }
  element.replaceChildren(root)
}

export const style = outcome => outcome.status === 200 ? 'ok' : outcome.status === 503 ? 'away' : 'refused'

const word = outcome => outcome.status === 200 ? '200 accepted' : `${outcome.status} ${outcome.reason ?? ''}`

// said is word within a sentence.
export const said = outcome => outcome.status === 200 ? 'accepted (200)' : `refused (${word(outcome)})`

// The height tells the answers apart too, for readers who cannot tell the colours apart.
function request(x, y, bar, outcome) {
  const kind = style(outcome)
  const height = { ok: lane, refused: lane * 0.5, away: lane * 0.22 }[kind]
  return svg('rect', { class: `bar ${kind}`, x: x - bar, y: y + lane - height, width: bar, height, rx: Math.min(1.5, bar / 2) })
}

function outages(ticks) {
  const spans = []
  for (const tick of ticks) {
    const last = spans.at(-1)
    if (tick.down && last?.open) last[1] = tick.at
    else if (tick.down) spans.push(Object.assign([tick.at, tick.at], { open: true }))
    else if (last?.open) { last[1] = tick.at; last.open = false }
  }
  return spans
}

function fetches(ticks, x, y) {
  const marks = []
  ticks.forEach((tick, index) => {
    const before = ticks[index - 1]
    if (!before || tick.fetches <= before.fetches) return
    const failed = tick.failures > before.failures
    const at = x(tick.at)
    marks.push(failed
      ? svg('path', { class: 'mark failed', d: `M${at - 4} ${y - 4}l8 8m0 -8l-8 8` })
      : svg('circle', { class: 'mark', cx: at, cy: y, r: 4.5 }))
  })
  return marks
}

// events labels what the reader did. Labels that would overlap go into rows of their own.
function events(ticks, x, bottom, width) {
  const nodes = []
  const free = [] // the x from which each row is free
  for (const tick of ticks) {
    if (!tick.events) continue
    const at = x(tick.at)
    const text = tick.events.join(', ')
    const half = text.length * 3.4
    const middle = Math.min(Math.max(at, left + half), width - left - half)
    let row = free.findIndex(end => end < middle - half)
    if (row < 0) row = free.length
    const y = 13 + Math.min(row, rows - 1) * 15
    nodes.push(svg('line', { class: 'event', x1: at, x2: at, y1: y + 4, y2: bottom }))
    if (row === rows) continue
    free[row] = middle + half + 8
    nodes.push(svg('text', { class: 'event', x: middle, y, 'text-anchor': 'middle' }, text))
  }
  return nodes
}
