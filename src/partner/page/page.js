// The partner's page: draws what /page/live says. Everything that came over the network is written as text, never as HTML.
const byId = (id) => document.getElementById(id)

function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}

const SIGNATURES = {
  verified: ['good', '✓ signature verified'],
  wrong: ['bad', '✗ signature wrong'],
  missing: ['bad', '✗ signature missing'],
  not_asked: ['warn', '○ signature not checked'],
}

const STORIES = {
  fine: 'The partner answers at once.',
  slow: 'The partner takes 3 s for each answer. Usher waits, and goes on with others meanwhile.',
  flaky: 'Half of the messages are answered 503. Usher sends them again.',
  down: 'The partner is down and answers 503. Usher keeps the rest, and tries now and then whether it is back.',
  reset: 'The partner cuts every connection. Usher cannot know what arrived, so it sends it again.',
  own: 'The partner answers as it was told on the command line.',
}

function chip(id, you) {
  return make('span', id === you ? 'chip you' : 'chip', id === you ? `${id} (you)` : id)
}

function drawMessage(message, you) {
  const item = make('li')
  const time = make('time', '', message.at.slice(11, 19))
  time.dateTime = message.at
  const who = make('div', 'who')
  const isAccepted = /^2/.test(message.answer)
  for (const user of message.users) {
    const line = make('p')
    const words = [...user.joined.map((name) => `joined ${name}`), ...user.left.map((name) => `left ${name}`)]
    const nothing = isAccepted ? 'nothing new' : 'not taken'
    line.append(chip(user.id, you), ` ${words.length > 0 ? words.join(', ') : nothing}`)
    who.append(line)
  }
  if (message.users.length === 0) who.append(make('p', 'bad', 'not readable'))
  const verdicts = make('div', 'verdicts')
  verdicts.append(make('span', ...SIGNATURES[message.signature]))
  // What is as it should be needs no word on each line.
  if (message.shape !== 'good') verdicts.append(make('span', 'bad', '✗ shape wrong'))
  if (message.isRepeat) verdicts.append(make('span', 'warn', '↻ came again'))
  verdicts.append(make('span', isAccepted ? 'good' : 'bad', `${isAccepted ? '✓' : '✗'} ${message.answer}`))
  item.append(time, who, verdicts)
  if (message.complaints.length > 0) item.append(make('div', 'complaints bad', message.complaints.join('; ')))
  return item
}

function drawAudience(audience, you) {
  const box = make('div')
  const title = make('h3')
  title.append(make('span', '', audience.name), make('span', 'size', audience.size.toLocaleString('en')))
  const chips = make('div', 'chips')
  const others = audience.latest.filter((id) => id !== you)
  if (audience.isYours) chips.append(chip(you, you))
  for (const id of others) chips.append(chip(id, you))
  const more = audience.size - chips.childElementCount
  if (more > 0) chips.append(make('span', 'empty', `and ${more.toLocaleString('en')} more`))
  box.append(title, chips)
  return box
}

function storyOf(view) {
  const story = STORIES[view.behaviour]
  if (view.owed > 0) return `${story} Still owed: ${view.owed}.`
  return view.recovered > 0 ? `${story} Everything that was refused has arrived since.` : story
}

let knowsYou = false

function draw(view) {
  knowsYou = view.you !== undefined
  for (const name of ['accepted', 'refused', 'owed', 'recovered'])
    byId(name).textContent = view[name].toLocaleString('en')
  for (const button of document.querySelectorAll('[data-preset]'))
    button.setAttribute('aria-pressed', String(button.dataset.preset === view.behaviour))
  // A live region is read out whenever it is written: only when there is something else to say.
  if (byId('story').textContent !== storyOf(view)) byId('story').textContent = storyOf(view)
  byId('you').textContent = knowsYou
    ? `This partner knows your browser as ${view.you}.`
    : 'This partner does not know your browser. A consented visit to a site that syncs IDs with it changes that.'
  if (view.audiences.length > 0)
    byId('audiences').replaceChildren(...view.audiences.map((one) => drawAudience(one, view.you)))
  if (view.messages.length > 0)
    byId('messages').replaceChildren(...view.messages.map((one) => drawMessage(one, view.you)))
}

let live

function connect() {
  live?.close()
  live = new EventSource('/page/live')
  live.onopen = () => {
    byId('link').textContent = '● Live'
  }
  live.onerror = () => {
    byId('link').textContent =
      live.readyState === EventSource.CLOSED
        ? 'Not connected: too many pages are open. Close one and reload.'
        : 'The partner cannot be reached; trying again …'
  }
  live.onmessage = (event) => draw(JSON.parse(event.data))
}

connect()
// Whoever comes back from the shop may be known by now; the cookie travels with a new connection.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !knowsYou) connect()
})

for (const button of document.querySelectorAll('[data-preset]'))
  button.addEventListener('click', () =>
    fetch('/page/behaviour', { method: 'POST', body: button.dataset.preset }).catch(() => {
      byId('story').textContent = 'The partner cannot be reached: nothing was changed.'
    }),
  )
