export const $ = id => document.getElementById(id)

// call sends a request to this program. The page sends requests to no other.
export async function call(path, body) {
  const response = await fetch(path, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })
  if (response.status === 204) return null
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error)
  return answer
}

// el makes an element. Its text is set as text, never as markup, because tokens hold others' text.
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, '')
    else if (value !== false && value !== undefined) node.setAttribute(key, value)
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined))
  return node
}
