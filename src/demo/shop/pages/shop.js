// Says what the visitor chose and what this page is, and lists what Usher made of it. Texts are written as text, never as HTML.
const { signals: signalsJson, consent } = document.body.dataset
const signals = JSON.parse(signalsJson)
const list = document.getElementById('steps')
const STEPS = 'demo.steps'
const STEPS_MAX = 6

/** Reloading "put into the basket" must not put it there again. */
if (/^\?(added|order)=/.test(location.search)) history.replaceState(null, '', location.pathname)

const names = fetch('/names.json').then((answer) => answer.json())

if (consent === 'yes') {
  load().forEach(draw)
  window.usher('consent', true)
  window.usher('on', (report) => names.then((known) => heard(report, known)))
  // d_cts: the answer lists the visitor's traits and segments.
  window.usher('event', { ...signals, d_cts: 2 })
} else {
  sessionStorage.removeItem(STEPS)
  if (consent === 'no') window.usher('consent', false)
}

function heard(report, known) {
  const steps = load()
  const { traits = [], segments = [] } = report.answer ?? {}
  const before = steps[0]?.segments ?? []
  const step = {
    what: sayWhat(signals),
    sent: report.signals.filter(([name]) => name !== 'd_cts').map(([name, value]) => `${name}=${value}`),
    status: report.status,
    refused: (report.answer?.errors ?? []).map(({ msg }) => msg),
    traits: traits.map((id) => known.traits[id]?.name).filter(Boolean),
    segments,
    joined: segments
      .filter((id) => !before.includes(id))
      .map((id) => known.segments[id])
      .filter(Boolean),
    left: before
      .filter((id) => !segments.includes(id))
      .map((id) => known.segments[id])
      .filter(Boolean),
    stays: segments
      .filter((id) => before.includes(id))
      .map((id) => known.segments[id]?.name)
      .filter(Boolean),
  }
  if (report.status !== 'answered') Object.assign(step, { segments: before, joined: [], left: [] })
  sessionStorage.setItem(STEPS, JSON.stringify([step, ...steps].slice(0, STEPS_MAX)))
  list.replaceChildren()
  load().forEach(draw)
}

function sayWhat({ page, event, product }) {
  if (event === 'order') return 'You placed an order'
  if (event === 'basket') return 'You filled the basket'
  if (page === 'product') return `You looked at ${product}`
  return page === 'home' ? 'You came to the shop' : `You opened the page ${page}`
}

function draw(step) {
  const item = make('li')
  item.append(make('strong', '', step.what))
  const sent = make('span', 'sent')
  for (const pair of step.sent) sent.append(make('code', '', pair), ' ')
  item.append(sent)
  if (step.status === 'failed') item.append(make('span', 'left', 'The edge did not answer.'))
  for (const message of step.refused) item.append(make('span', 'left', message))
  if (step.traits.length > 0) item.append(make('span', 'traits', `Traits: ${step.traits.join(', ')}`))
  for (const { name, why } of step.joined) item.append(make('span', 'joined', `→ you joined ${name}: ${why}`))
  for (const { name } of step.left) item.append(make('span', 'left', `← you left ${name}`))
  if (step.joined.length + step.left.length > 0)
    item.append(make('span', 'traits', 'The partner is told within the second.'))
  else if (step.stays.length > 0) item.append(make('span', 'traits', `Still in ${step.stays.join(', ')}`))
  else if (step.status === 'answered') item.append(make('span', 'traits', 'No audience yet.'))
  list.append(item)
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
