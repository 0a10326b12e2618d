export const $ = id => document.getElementById(id)

// call asks this program; nothing on this page asks anybody else.
export async function call(path, body) {
  const response = await fetch(path, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })
  if (response.status === 204) return null
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error)
  return answer
}

// el makes an element. Text is only ever set as text.
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, '')
    else if (value !== false && value !== undefined) node.setAttribute(key, value)
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined))
  return node
}
