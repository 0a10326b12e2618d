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

// What this program knows of claims and header members, by name, in the order to show them in.
const meanings = { h: new Map(), p: new Map(), s: new Map([['signature', { meaning: 'made with the private key of kid' }]]) }

// learn takes what the program knows of claims and header members.
export function learn({ claims, headerMembers }) {
  meanings.h = new Map(headerMembers.map(member => [member.name, member]))
  meanings.p = new Map(claims.map(claim => [claim.name, claim]))
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
  const order = [...meanings[kind].keys()]
  const rank = name => order.includes(name) ? order.indexOf(name) : order.length
  const row = name => claim(kind, name, values[name], wanted.has(name), good)
  const shown = name => kind !== 'p' || meanings.p.get(name)?.telling || wanted.has(name)
  const keys = kind === 'p' ? Object.keys(values).sort((a, b) => rank(a) - rank(b)) : Object.keys(values)
  const folded = keys.filter(name => !shown(name))
  return el('section', { class: `segment ${kind}` }, el('h3', {}, title),
    el('dl', {}, missing.map(row), keys.filter(shown).map(row)),
    folded.length === 0 ? null : el('details', { class: 'claims-aside' },
      el('summary', {}, `${folded.length} more that decide nothing here: ${folded.join(', ')}`), el('dl', {}, folded.map(row))))
}

function claim(kind, name, value, decides, good) {
  const mark = decides ? (good ? 'decides good' : 'decides bad') : ''
  const shown = value === undefined ? el('em', {}, 'missing') : typeof value === 'string' ? value : JSON.stringify(value)
  return el('div', { class: `claim ${mark}`, 'data-claim': name },
    el('dt', {}, name, decides ? el('span', { class: 'visually-hidden' }, good ? ', accepted for it' : ', decided') : null),
    el('dd', {}, el('span', { class: 'value' }, shown), known(name, value), el('span', { class: 'meaning' }, meanings[kind].get(name)?.meaning ?? '')))
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
