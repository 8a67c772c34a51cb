// Says what the visitor chose and what this page is, and lists what Usher made of it. Texts are written as text, never as HTML.
const { signals: signalsJson, consent } = document.body.dataset
const signals = JSON.parse(signalsJson)
const list = document.getElementById('steps')
const now = document.getElementById('now')
const STEPS = 'demo.steps'
const STEPS_MAX = 6

/** Reloading "put into the basket" must not put it there again. */
if (/^\?(added|order)=/.test(location.search)) history.replaceState(null, '', location.pathname)

/** What traits, segments and products are called; without it the list shows what was sent. */
const names = fetch('/names.json')
  .then((answer) => answer.json())
  .catch(() => ({ traits: {}, segments: {}, products: {} }))

/** What was heard on this and earlier pages, newest first; only this page's where the browser keeps nothing. */
let steps = consent === 'yes' ? load() : []
save()

if (consent === 'yes') {
  void names.then(draw)
  window.usher('consent', true)
  window.usher('on', (report) => names.then((known) => heard(report, known)))
  // d_cts: the answer lists the visitor's traits and segments.
  window.usher('event', { ...signals, d_cts: 2 })
  window.addEventListener('load', () => {
    if (!window.usher.loaded) now.textContent = 'The page tag did not load: does something in this browser block it?'
  })
} else if (consent === 'no') window.usher('consent', false)

function heard({ status, signals: sent, answer }, known) {
  const before = steps[0]?.segments ?? []
  const { traits = [], errors = [] } = answer ?? {}
  const segments = status === 'answered' ? (answer?.segments ?? []) : before
  const step = {
    what: sayWhat(signals, known),
    sent: sent.filter(([name]) => name !== 'd_cts').map(([name, value]) => `${name}=${value}`),
    troubles: [...(status === 'failed' ? ['The edge did not answer.'] : []), ...errors.map(({ msg }) => msg)],
    traits,
    segments,
    joined: segments.filter((id) => !before.includes(id)),
    left: before.filter((id) => !segments.includes(id)),
  }
  steps = [step, ...steps].slice(0, STEPS_MAX)
  save()
  draw(known)
}

function sayWhat({ page, event, product }, known) {
  if (event === 'order') return 'You placed an order'
  if (event === 'basket') return 'You filled the basket'
  if (page === 'product') return `You looked at the ${known.products[product] ?? product}`
  const pages = { home: 'You came to the shop', category: 'You looked around', basket: 'You looked into the basket' }
  return pages[page] ?? 'You opened a page'
}

function draw(known) {
  const mine = (steps[0]?.segments ?? []).map((id) => known.segments[id]?.name).filter(Boolean)
  now.replaceChildren()
  if (mine.length > 0) now.append('You are in ', ...mine.flatMap((name) => [make('span', 'audience', name), ' ']))
  else if (steps.length > 0) now.append('You are in no audience yet. Look at two pairs of shoes.')
  list.replaceChildren(...steps.map((step) => drawStep(step, known)))
}

function drawStep(step, known) {
  const item = make('li')
  item.append(make('strong', '', step.what))
  const sent = make('span', 'sent')
  for (const pair of step.sent) sent.append(make('code', '', pair), ' ')
  item.append(sent)
  for (const trouble of step.troubles) item.append(make('span', 'left', trouble))
  const traits = step.traits.map((id) => known.traits[id]?.name).filter(Boolean)
  if (traits.length > 0) item.append(make('span', 'quiet', `Traits: ${traits.join(', ')}`))
  for (const { name, why } of namedOf(step.joined, known)) {
    item.append(make('span', 'joined', `→ You joined ${name}`), make('span', 'quiet', `for ${why}`))
  }
  for (const { name } of namedOf(step.left, known)) item.append(make('span', 'left', `← You left ${name}`))
  if (step.joined.length + step.left.length > 0) item.append(make('span', 'quiet', 'The partner is told at once.'))
  return item
}

function namedOf(ids, known) {
  return ids.map((id) => known.segments[id]).filter(Boolean)
}

function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}

function load() {
  try {
    return JSON.parse(sessionStorage.getItem(STEPS)) ?? []
  } catch {
    return []
  }
}

function save() {
  try {
    if (steps.length > 0) sessionStorage.setItem(STEPS, JSON.stringify(steps))
    else sessionStorage.removeItem(STEPS)
  } catch {
    // This browser keeps nothing.
  }
}
