import { bare, decode, el, encode, show, span } from './token.js'
import { draw, style, word } from './chart.js'

const $ = id => document.getElementById(id)

// call asks this program; nothing on this page asks anybody else.
async function call(path, body) {
  const response = await fetch(path, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })
  if (response.status === 204) return null
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error)
  return answer
}

// ---- Trying a token

const needs = { GET: 'scope Orders.Read, or permission Orders.Read.All', POST: 'scope Orders.Write' }
let steps = []
let last = null // the explanation of the last answer, for the token as it was sent

const method = () => document.querySelector('input[name=method]:checked').value

async function fillPicker() {
  const samples = await call('/page/samples')
  const groups = Map.groupBy(samples, sample => sample.group)
  for (const [group, members] of groups) {
    $('picker').append(el('details', { open: true }, el('summary', {}, group), members.map(choice)))
  }
  fitPicker()
  narrow.addEventListener('change', fitPicker)
  $('picker').addEventListener('change', event => pick(samples.find(sample => sample.id === event.target.value)))
  $('picker').addEventListener('submit', event => { event.preventDefault(); send() })
  const first = samples.find(sample => sample.id === 'graph')
  document.querySelector(`input[value=${first.id}]`).checked = true
  fitPicker()
  await pick(first)
}

const choice = sample => el('label', { class: 'choice' },
  el('input', { type: 'radio', name: 'sample', value: sample.id, 'aria-describedby': `about-${sample.id}` }),
  el('span', {}, el('b', {}, sample.name), el('small', { id: `about-${sample.id}` }, sample.about)))

// On a phone only the group of the chosen token is open.
const narrow = matchMedia('(max-width: 56rem)')
function fitPicker() {
  for (const group of document.querySelectorAll('.picker details')) {
    group.open = !narrow.matches || group.querySelector(':checked') !== null
    if (narrow.matches) group.setAttribute('name', 'group')
    else group.removeAttribute('name')
  }
}

async function pick(sample) {
  const { authorization } = await call(`/page/samples/${sample.id}`)
  $('authorization').value = authorization
  document.querySelector(`input[name=method][value=${sample.method}]`).checked = true
  closeEditor()
  await send()
}

// send makes the request itself: the browser's network tools show it as it is shown here.
async function send() {
  $('needs').textContent = `needs ${needs[method()]}`
  const authorization = $('authorization').value.trim()
  const id = crypto.randomUUID()
  const headers = { 'Request-Id': id }
  if (authorization !== '') headers.Authorization = authorization
  let response
  try {
    response = await fetch('/orders', { method: method(), headers, cache: 'no-store' })
  } catch {
    last = null
    $('verdict').replaceChildren(el('strong', { class: 'bad' }, 'Not sent'), ' The browser refuses to send this header, or the program has ended.')
    showToken()
    return
  }
  const body = await response.text()
  last = await call(`/page/refusals/${id}`)
  showAnswer(authorization, id, response, body)
  showToken()
}

function showAnswer(authorization, id, response, body) {
  const good = last.reason === ''
  $('verdict').replaceChildren(
    el('strong', { class: good ? 'good' : 'bad' }, `${response.status} ${response.statusText}`),
    good ? ' let in: every check passed' : el('code', {}, last.reason), good ? '' : ` refused at “${steps[last.step]}”`)
  $('steps').replaceChildren(...progress(last))
  document.querySelector('.sides').hidden = false
  $('exchange').replaceChildren(...exchange(authorization, id, response, body))
  $('operator').replaceChildren(...operatorsView(last))
  $('production').hidden = good
}

function progress({ step }) {
  return steps.map((name, index) => {
    const state = index < step ? 'passed' : index === step ? 'failed' : 'unseen'
    const said = { passed: 'passed', failed: 'refused here', unseen: 'not reached' }[state]
    return el('li', { class: state }, name, el('span', { class: 'visually-hidden' }, `: ${said}`))
  })
}

function exchange(authorization, id, response, body) {
  const line = (kind, name, value) => el('p', { class: kind }, el('span', { class: 'name' }, name), value)
  const lines = [el('p', { class: 'first' }, `${method()} /orders HTTP/1.1`)]
  if (authorization !== '') lines.push(line('sent', 'Authorization: ', shortened(authorization)))
  lines.push(line('sent', 'Request-Id: ', id.slice(0, 8) + '…'))
  lines.push(el('p', { class: 'first answer-line' }, `HTTP/1.1 ${response.status} ${response.statusText}`))
  const challenge = response.headers.get('WWW-Authenticate')
  if (challenge) lines.push(el('p', { class: 'challenge' }, el('span', { class: 'name' }, 'WWW-Authenticate: '), ...parameters(challenge)))
  for (const name of ['Retry-After', 'Content-Type']) {
    if (response.headers.has(name)) lines.push(line('got', `${name}: `, response.headers.get(name)))
  }
  lines.push(el('pre', {}, pretty(body)))
  return lines
}

const shortened = value => value.length > 90 ? `${value.slice(0, 34)}…${value.slice(-12)} (${value.length} characters)` : value

// A parameter a line; values hold no quotes.
const parameters = challenge => challenge.split(/, (?=[a-z_]+=")/).map((part, index, all) =>
  el('span', { class: /^(error|error_description|scope)=/.test(part) ? 'parameter tells' : 'parameter' }, part + (index < all.length - 1 ? ',' : '')))

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

function operatorsView(explanation) {
  if (explanation.reason === '') return [el('p', { class: 'text' }, 'Nothing: a request that is let in is counted, not logged. The claims that let it in are marked below.')]
  return [
    el('p', { class: 'text' }, explanation.text),
    explanation.cure ? el('h3', {}, 'What to change') : null,
    explanation.cure ? el('p', { class: 'cure' }, explanation.cure) : null,
  ].filter(Boolean)
}

function showToken() {
  const token = decode(bare($('authorization').value))
  $('edit').disabled = token === null
  $('decoded').replaceChildren(...show(token, last?.decided, last?.reason === ''))
}

// ---- Editing the claims

function openEditor() {
  const token = decode(bare($('authorization').value))
  if (!token) return
  $('edit-header').value = JSON.stringify(token.header)
  $('edit-payload').value = JSON.stringify(token.payload, null, 2)
  $('editor').hidden = false
  $('edit').setAttribute('aria-expanded', 'true')
  $('edit-payload').focus()
}

function closeEditor() {
  $('editor').hidden = true
  $('edit').setAttribute('aria-expanded', 'false')
  $('edit-error').textContent = ''
}

async function sendEdited(token) {
  $('authorization').value = `Bearer ${token}`
  await send()
}

async function sign() {
  try {
    JSON.parse($('edit-payload').value)
    $('edit-error').textContent = ''
  } catch (error) {
    $('edit-error').textContent = `This is no JSON: ${error.message}. Sent all the same.`
  }
  const { token } = await call('/page/sign', { header: $('edit-header').value, payload: $('edit-payload').value })
  await sendEdited(token)
}

const forge = () => sendEdited([encode($('edit-header').value), encode($('edit-payload').value), bare($('authorization').value).split('.')[2]].join('.'))

// ---- Entra away

let ticks = []
let saidBefore = ''

async function poll() {
  if (!document.hidden) {
    try {
      const state = await call(`/page/state?after=${ticks.at(-1)?.number ?? 0}`)
      steps = state.steps
      ticks = [...ticks, ...(state.ticks ?? [])].slice(-240)
      showState(state)
    } catch {
      say('The program has ended. Start it again and reload this page.')
    }
  }
  setTimeout(poll, 500)
}

function showState(state) {
  draw($('chart'), ticks, Math.max(Date.now(), ticks.at(-1)?.at ?? 0))
  document.querySelector('[data-act=down]').disabled = state.down
  document.querySelector('[data-act=restore]').disabled = !state.down
  showStats(state)
  const tick = ticks.at(-1)
  if (!tick) return
  say(`Entra is ${state.down ? 'down' : 'up'}. The same token gets ${word(tick.kept)}, a new one ${word(tick.new)}.`, style(tick.new))
}

// say speaks only when something changed, since a screen reader reads each change aloud.
function say(sentence, kind = 'away') {
  if (sentence === saidBefore) return
  saidBefore = sentence
  $('happening').textContent = sentence
  $('happening').dataset.kind = kind
  $('chart').setAttribute('aria-label', `Requests of the last minute. ${sentence}`)
}

function showStats({ stats, signsWith }) {
  const refused = Object.entries(stats.refused).sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${reason} ${count}`).join(', ')
  const rows = [
    ['Keys held', stats.keys, ''],
    ['Last fetch', stats.lastFetch ? span(Math.max(0, Date.now() - stats.lastFetch) / 1000) + ' ago' : 'none yet', ''],
    ['Fetches', stats.fetches, stats.failures ? `${stats.failures} failed` : ''],
    ['Let in', stats.verified, `${stats.remembered} from memory`],
    ['Refused', Object.values(stats.refused).reduce((sum, count) => sum + count, 0), refused],
    ['Entra signs with', signsWith.slice(0, 6) + '…', ''],
  ]
  $('stats').replaceChildren(...rows.map(([name, value, more]) => el('div', {}, el('dt', {}, name), el('dd', {}, el('b', {}, String(value)), more ? el('small', {}, more) : null))))
}

// ---- A token from elsewhere

function showForeign() {
  const token = decode(bare($('foreign-token').value))
  $('foreign-verdicts').replaceChildren()
  const empty = $('foreign-token').value.trim() === ''
  $('foreign-decoded').replaceChildren(...(empty ? [] : show(token)))
}

async function judge() {
  const token = bare($('foreign-token').value)
  try {
    const verdicts = await call('/page/judge', { token, tenantID: $('foreign-tenant').value.trim(), clientID: $('foreign-client').value.trim(), audience: $('foreign-audience').value.trim() })
    $('foreign-verdicts').replaceChildren(...verdicts.map(verdictOf))
    const final = verdicts.at(-1)
    $('foreign-decoded').replaceChildren(...show(decode(token), final.decided, final.reason === ''))
  } catch (error) {
    $('foreign-verdicts').replaceChildren(el('p', { class: 'error' }, error.message))
  }
}

function verdictOf(verdict) {
  const good = verdict.reason === ''
  const signed = verdict.reason === 'unknown_key' && verdict.assuming === ''
  return el('article', { class: 'judgement' },
    el('p', { class: 'verdict' }, el('strong', { class: good ? 'good' : signed ? 'aside' : 'bad' }, good ? 'Let in' : signed ? 'Signature not checked' : 'Refused'),
      good ? ` as ${verdict.kind}` : el('code', {}, verdict.reason), verdict.assuming ? ` if ${verdict.assuming}` : ''),
    signed ? el('p', {}, 'This program holds no keys of the real Entra. What follows sets the signature aside.')
      : good ? el('p', {}, 'What a route requires beyond that, you say with Require.')
        : operatorsView(verdict))
}

// ---- Wiring

$('request').addEventListener('submit', event => { event.preventDefault(); send() })
$('request').addEventListener('change', event => { if (event.target.name === 'method') send() })
$('authorization').addEventListener('input', () => { last = null; showToken() })
$('edit').addEventListener('click', () => $('editor').hidden ? openEditor() : closeEditor())
$('editor').addEventListener('submit', event => { event.preventDefault(); sign() })
$('forge').addEventListener('click', forge)
$('foreign-token').addEventListener('input', showForeign)
$('foreign').addEventListener('submit', event => { event.preventDefault(); judge() })
$('foreign-clear').addEventListener('click', () => { $('foreign-token').value = ''; showForeign(); $('foreign-token').focus() })
for (const button of document.querySelectorAll('[data-act]')) {
  button.addEventListener('click', () => call(`/page/${button.dataset.act}`, {}))
}
$('foreign-tenant').value = '11111111-1111-4111-8111-111111111111'
$('foreign-client').value = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'
steps = (await call('/page/state')).steps
await fillPicker()
poll()
