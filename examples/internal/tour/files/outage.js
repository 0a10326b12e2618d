import { $, call, el } from './page.js'
import { span } from './token.js'
import { draw, said, style } from './chart.js'

let ticks = []
let saidBefore = ''
let started

// watch shows the answers to the program's own requests for as long as the page is open.
export async function watch() {
  if (!document.hidden) {
    try {
      const state = await call(`/page/state?after=${ticks.at(-1)?.number ?? 0}`)
      if (state.started !== (started ??= state.started)) location.reload() // the program was started anew
      ticks = [...ticks, ...(state.ticks ?? [])].slice(-240)
      showState(state)
    } catch {
      ended()
    }
  }
  setTimeout(watch, 500)
}

export const ended = () => say('The program has ended. Start it again, and this page begins anew.')

const redraw = () => draw($('chart'), ticks, Math.max(Date.now(), ticks.at(-1)?.at ?? 0))
addEventListener('resize', redraw)

function showState(state) {
  redraw()
  enable(state.down)
  showStats(state)
  const tick = ticks.at(-1)
  if (!tick) return
  say(`Entra is ${state.down ? 'down' : 'up'}. The same token is ${said(tick.kept)}, a new one ${said(tick.new)}.`, style(tick.new))
}

// enable enables one of two buttons and disables the other, whose focus it passes on.
function enable(down) {
  const [take, bring] = ['down', 'restore'].map(act => document.querySelector(`[data-act=${act}]`))
  const focused = document.activeElement
  take.disabled = down
  bring.disabled = !down
  if (focused === take && down) bring.focus()
  if (focused === bring && !down) take.focus()
}

// say sets the text only if it changed, since a screen reader reads each change aloud.
function say(sentence, kind = 'away') {
  if (sentence === saidBefore) return
  saidBefore = sentence
  $('happening').textContent = sentence
  $('happening').dataset.kind = kind
  $('chart').setAttribute('aria-label', `Requests of the last minute. ${sentence}`)
}

function showStats({ stats, signsWith }) {
  const reasons = Object.entries(stats.refused).sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${reason} ${count}`)
  const refused = reasons.slice(0, 3).join(', ') + (reasons.length > 3 ? `, ${reasons.length - 3} more` : '')
  const rows = [
    ['Keys held', stats.keys, ''],
    ['Last fetch', stats.lastFetch ? span(Math.max(0, Date.now() - stats.lastFetch) / 1000) + ' ago' : 'none yet', ''],
    ['Fetches', stats.fetches, stats.failures ? `${stats.failures} failed` : ''],
    ['Accepted', stats.verified, `${stats.remembered} from memory`],
    ['Refused', Object.values(stats.refused).reduce((sum, count) => sum + count, 0), refused],
    ['Entra signs with', signsWith.slice(0, 6) + '…', ''],
  ]
  $('stats').replaceChildren(...rows.map(([name, value, more]) => el('div', {}, el('dt', {}, name), el('dd', {}, el('b', {}, String(value)), more ? el('small', {}, more) : null))))
}
