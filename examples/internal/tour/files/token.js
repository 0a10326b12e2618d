// Decodes a token and shows what it says. Only the API checks tokens; nothing here does.
import { el } from './page.js'

// bare returns the token of an Authorization header, without the white space and quotes that copying adds.
export function bare(text) {
  return text.trim().replace(/^authorization:\s*/i, '').replace(/^bearer\s+/i, '').replace(/^["']+|["']+$/g, '').trim()
}

// decode returns { header, payload, signature } as far as they can be read, or null if this is no JWS.
export function decode(token) {
  const parts = token.split('.')
  if (parts.length !== 3) return null
  try {
    return { header: object(parts[0]), payload: object(parts[1]), signature: parts[2], parts }
  } catch {
    return null
  }
}

function object(segment) {
  const value = JSON.parse(text(segment))
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('no object')
  return value
}

function text(segment) {
  const binary = atob(segment.replace(/-/g, '+').replace(/_/g, '/'))
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, c => c.charCodeAt(0)))
}

export function encode(string) {
  const binary = Array.from(new TextEncoder().encode(string), byte => String.fromCharCode(byte)).join('')
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

const meanings = {
  alg: 'how it is signed; Entra uses RS256',
  kid: 'the key that signed it',
  typ: 'what it is',
  nonce: 'in a header: for a Microsoft API, which alone can verify it',
  aud: 'the API that it is for',
  iss: 'who issued it',
  tid: 'the tenant of its user or application',
  exp: 'good until',
  nbf: 'good from',
  iat: 'issued',
  scp: 'what the application may do for the user',
  roles: 'application permissions, or app roles of the user',
  idtyp: 'app: nobody is signed in',
  azp: 'the application that asked for it',
  appid: 'the application that asked for it (version 1.0)',
  azpacr: 'how that application proved itself: 0 not at all, 1 secret, 2 certificate',
  appidacr: 'how that application proved itself: 0 not at all, 1 secret, 2 certificate',
  oid: 'the user or application, within its tenant',
  sub: 'the user, as this application alone knows them',
  ver: 'version of the token',
  name: 'for display only',
  preferred_username: 'can change hands: never decide by it',
  upn: 'can change hands: never decide by it',
  unique_name: 'can change hands: never decide by it',
  email: 'unverified: never decide by it',
  acct: '1: a guest in this tenant',
  idp: 'where the guest signed in',
  cnf: 'bound to this key: worth nothing without it',
  groups: 'groups of the user',
  uti: 'ID of the token', aio: 'for Entra only', rh: 'for Entra only',
  signature: 'made with the private key of kid',
}
const names = {
  'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa': 'this API', 'api://aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa': 'this API',
  '11111111-1111-4111-8111-111111111111': 'this API’s tenant', '22222222-2222-4222-8222-222222222222': 'another tenant',
  'dddddddd-dddd-4ddd-8ddd-dddddddddddd': 'the sample client', 'e1e1e1e1-e1e1-4e1e-8e1e-e1e1e1e1e1e1': 'Alice',
  '9188040d-6c67-4c5b-b112-36a304b66dad': 'personal Microsoft accounts',
  '00000003-0000-0000-c000-000000000000': 'Microsoft Graph', 'https://graph.microsoft.com': 'Microsoft Graph',
  '00000002-0000-0000-c000-000000000000': 'Azure AD Graph', 'https://management.azure.com': 'Azure Resource Manager',
}
const dates = ['exp', 'nbf', 'iat']
// The claims that an API decides by, the most important first. All other claims are folded away.
const telling = ['aud', 'iss', 'tid', 'ver', 'exp', 'nbf', 'iat', 'scp', 'roles', 'idtyp', 'azp', 'appid', 'oid', 'sub', 'cnf', 'nonce', 'acrs']

// show renders a decoded token and marks the claims in decided; good says whether the token was accepted for them.
export function show(token, decided = [], good = false) {
  if (!token) return [el('p', { class: 'note' }, 'There is no token to decode here.')]
  const wanted = new Map(decided.map(name => [name.replace('?', ''), !name.endsWith('?')]))
  const inHeader = name => name in token.header || ['alg', 'kid', 'typ'].includes(name) || (name === 'nonce' && good === false && !('nonce' in token.payload))
  const missing = [...wanted].filter(([name, always]) => always && name !== 'signature' && !(name in token.header) && !(name in token.payload)).map(([name]) => name)
  const part = (title, kind, values, absent) => segment(title, kind, values, absent, wanted, good)
  return [
    part('Header', 'h', token.header, missing.filter(inHeader)),
    part('Payload', 'p', token.payload, missing.filter(name => !inHeader(name))),
    part('Signature', 's', { signature: shortened(token.signature) }, []),
  ]
}

export const shortened = text => text.length > 90 ? `${text.slice(0, 34)}…${text.slice(-12)} (${text.length} characters)` : text || '(empty)'

function segment(title, kind, values, missing, wanted, good) {
  const rank = name => telling.includes(name) ? telling.indexOf(name) : 500
  const row = name => claim(name, values[name], wanted.has(name), good)
  const shown = name => kind !== 'p' || telling.includes(name) || wanted.has(name)
  const keys = kind === 'p' ? Object.keys(values).sort((a, b) => rank(a) - rank(b)) : Object.keys(values)
  const folded = keys.filter(name => !shown(name))
  return el('section', { class: `segment ${kind}` }, el('h3', {}, title),
    el('dl', {}, missing.map(row), keys.filter(shown).map(row)),
    folded.length === 0 ? null : el('details', { class: 'claims-aside' },
      el('summary', {}, `${folded.length} more that decide nothing here: ${folded.join(', ')}`), el('dl', {}, folded.map(row))))
}

function claim(name, value, decides, good) {
  const mark = decides ? (good ? 'decides good' : 'decides bad') : ''
  const shown = value === undefined ? el('em', {}, 'missing') : typeof value === 'string' ? value : JSON.stringify(value)
  return el('div', { class: `claim ${mark}`, 'data-claim': name },
    el('dt', {}, name, decides ? el('span', { class: 'visually-hidden' }, good ? ', let it in' : ', decided') : null),
    el('dd', {}, el('span', { class: 'value' }, shown), known(name, value), el('span', { class: 'meaning' }, meanings[name] ?? '')))
}

function known(name, value) {
  if (dates.includes(name) && typeof value === 'number') return el('span', { class: 'known' }, when(value))
  const label = typeof value === 'string' ? names[value.replace(/\/$/, '')] : undefined
  return label ? el('span', { class: 'known' }, label) : null
}

function when(seconds) {
  const away = seconds - Date.now() / 1000
  const time = new Date(seconds * 1000)
  if (Number.isNaN(time.getTime())) return 'no date'
  return `${time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })}, ${away < 0 ? span(-away) + ' ago' : 'in ' + span(away)}`
}

export function span(seconds) {
  for (const [unit, length] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    const count = Math.round(seconds / length)
    if (seconds >= length * 0.95) return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return `${Math.round(seconds)} s`
}
