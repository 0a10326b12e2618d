import { $, call, el } from './page.js'
import { bare, decode, encode, learn, shortened, show } from './token.js'
import { ended, watch } from './outage.js'

// ---- Trying a token

const needs = { GET: 'scope Orders.Read, or permission Orders.Read.All', POST: 'scope Orders.Write' }
let steps = []
let last = null // the explanation of the last answer, for the token as it was sent

const method = () => document.querySelector('input[name=method]:checked').value

async function fillPicker() {
  const answer = await call('/page/samples')
  const samples = answer.samples
  steps = answer.steps
  learn(answer)
  const groups = Map.groupBy(samples, sample => sample.group)
  for (const [group, members] of groups) {
    $('picker').append(el('details', { open: true }, el('summary', {}, curly(group)), members.map(choice)))
  }
  fitPicker()
  narrow.addEventListener('change', fitPicker)
  $('picker').addEventListener('change', async event => {
    await pick(samples.find(sample => sample.id === event.target.value))
    if (narrow.matches) $('answer').scrollIntoView()
  })
  $('picker').addEventListener('submit', event => { event.preventDefault(); send() })
  const first = samples.find(sample => sample.id === 'graph')
  document.querySelector(`input[value=${first.id}]`).checked = true
  fitPicker()
  await pick(first)
}

const curly = text => text.replaceAll("'", '’')

const choice = sample => el('label', { class: 'choice' },
  el('input', { type: 'radio', name: 'sample', value: sample.id, 'aria-describedby': `about-${sample.id}` }),
  el('span', {}, el('b', {}, curly(sample.name)), el('small', { id: `about-${sample.id}` }, sample.about)))

// On a narrow screen only the group of the chosen token is open.
const narrow = matchMedia('(max-width: 56rem)')
function fitPicker() {
  for (const group of document.querySelectorAll('.picker details')) {
    group.open = !narrow.matches || group.querySelector(':checked') !== null
    if (narrow.matches) group.setAttribute('name', 'group')
    else group.removeAttribute('name')
  }
}

async function pick(sample) {
  const turn = ++turns
  const { authorization } = await call(`/page/samples/${sample.id}`)
  if (turn !== turns) return
  $('authorization').value = authorization
  document.querySelector(`input[name=method][value=${sample.method}]`).checked = true
  closeEditor()
  await send()
}

// turns counts what was picked and sent, so that only the answer to the last of them is shown.
let turns = 0

// send makes the request itself: the browser's network tools show it as it is shown here.
async function send() {
  const turn = ++turns
  $('needs').textContent = `needs ${needs[method()]}`
  const authorization = $('authorization').value.trim()
  const id = crypto.randomUUID()
  const headers = { 'Request-Id': id }
  if (authorization !== '') headers.Authorization = authorization
  let response
  try {
    response = await fetch('/orders', { method: method(), headers, cache: 'no-store' })
  } catch {
    if (turn !== turns) return
    last = null
    $('verdict').replaceChildren(el('strong', { class: 'bad' }, 'Not sent'), ' The browser refuses to send this header, or the program has ended.')
    showToken()
    return
  }
  const body = await response.text()
  const explanation = await call(`/page/refusals/${id}`)
  if (turn !== turns) return
  last = explanation
  showAnswer(authorization, id, response, body)
  showToken()
}

function showAnswer(authorization, id, response, body) {
  const good = last.reason === ''
  $('verdict').replaceChildren(
    el('strong', { class: good ? 'good' : 'bad' }, `${response.status} ${response.statusText}`),
    good ? ' accepted: every check passed' : el('code', {}, last.reason), good ? '' : ` refused at the check “${steps[last.step]}”`)
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
  lines.push(el('p', { class: 'body' }, body))
  return lines
}

// parameters shows one parameter of a challenge a line. Values of entra's challenges hold no quotes.
const parameters = challenge => challenge.split(/, (?=[a-z_]+=")/).map((part, index, all) =>
  el('span', { class: /^(error|error_description|scope)=/.test(part) ? 'parameter tells' : 'parameter' }, part + (index < all.length - 1 ? ',' : '')))

function operatorsView(explanation) {
  if (explanation.reason === '') return [el('p', { class: 'text' }, 'Nothing: an accepted request is counted, not logged. The claims that decided are marked below.')]
  return [
    el('p', { class: 'text' }, explanation.text),
    explanation.cure ? el('h3', {}, 'How to change it') : null,
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
  // The cursor of a text that was set is at its end, and focus would scroll there.
  for (const field of [$('edit-header'), $('edit-payload')]) {
    field.setSelectionRange(0, 0)
    field.scrollTop = 0
  }
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
    const verdicts = await call('/page/judge', { token, ...foreignOptions() })
    $('foreign-verdicts').replaceChildren(unsigned(verdicts), ...verdicts.map(verdictOf))
    const final = verdicts.at(-1)
    $('foreign-decoded').replaceChildren(...show(decode(token), final.decided, final.reason === ''))
  } catch (error) {
    $('foreign-verdicts').replaceChildren(el('p', { class: 'error' }, error.message))
  }
}

const foreignOptions = () => ({
  tenantID: $('foreign-tenant').value.trim(),
  clientID: $('foreign-client').value.trim(),
  audiences: $('foreign-audiences').value.trim(),
  cloud: $('foreign-cloud').value,
  authority: $('foreign-authority').value.trim(),
  allowIDTokens: $('foreign-id-tokens').checked,
})

// showCommand shows how to check the signature too.
function showCommand() {
  const { tenantID, clientID, audiences, cloud, authority, allowIDTokens } = foreignOptions()
  const flags = [['tenant', tenantID], ['client', clientID], ['audience', audiences.replace(/[\s,]+/g, ',')], ['authority', authority], ['cloud', cloud === 'Worldwide' ? '' : cloud]]
  const quoted = value => /^[\w.:/,~-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
  const given = flags.filter(([, value]) => value !== '').map(([name, value]) => `-${name} ${quoted(value)}`)
  if (allowIDTokens) given.push('-id-tokens')
  // Each part is an element of its own, so that lines break between flags.
  const parts = ['go run ./cmd/entra explain', ...given, '< token.txt']
  $('foreign-command').replaceChildren(...parts.flatMap(part => [el('span', {}, part), ' ']))
}

// unsigned says what was not checked.
function unsigned(verdicts) {
  return el('article', { class: 'judgement' },
    el('p', { class: 'verdict' }, el('strong', { class: 'aside' }, 'Signature not checked')),
    el('p', {}, `This program holds no keys of the real Entra. What follows assumes that the signature is good.${verdicts[0].issuerAssumed ? ' The issuer is not checked either: only the authority’s metadata names it.' : ''}`))
}

function verdictOf(verdict) {
  const good = verdict.reason === ''
  return el('article', { class: 'judgement' },
    el('p', { class: 'verdict' }, el('strong', { class: good ? 'good' : 'bad' }, good ? 'Accepted' : 'Refused'),
      good ? ` as ${verdict.kind}` : el('code', {}, verdict.reason), ` if ${verdict.assuming}`),
    good ? el('p', {}, 'What a route requires beyond that, you say with Require.') : operatorsView(verdict))
}

// ---- Wiring

$('request').addEventListener('submit', event => { event.preventDefault(); send() })
$('request').addEventListener('change', event => { if (event.target.name === 'method') send() })
$('authorization').addEventListener('input', () => { last = null; showToken() })
$('edit').addEventListener('click', () => $('editor').hidden ? openEditor() : closeEditor())
$('editor').addEventListener('submit', event => { event.preventDefault(); sign() })
$('forge').addEventListener('click', forge)
$('foreign-token').addEventListener('input', showForeign)
$('foreign').addEventListener('input', showCommand)
$('foreign').addEventListener('submit', event => { event.preventDefault(); judge() })
$('foreign-clear').addEventListener('click', () => { $('foreign-token').value = ''; showForeign(); $('foreign-token').focus() })
for (const button of document.querySelectorAll('[data-act]')) {
  button.addEventListener('click', () => call(`/page/${button.dataset.act}`, {}).catch(ended))
}
$('foreign-tenant').value = '11111111-1111-4111-8111-111111111111'
$('foreign-client').value = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'
showCommand()
await fillPicker()
watch()
