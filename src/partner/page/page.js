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
  not_asked: ['warn', 'signature not checked'],
}

const STORIES = {
  fine: 'The partner answers at once.',
  slow: 'The partner takes 3 s for each answer. Usher waits, and goes on with others meanwhile.',
  flaky: 'Every second message is answered 503. Usher sends it again.',
  down: 'The partner is down: every message is answered 503. Usher keeps them, and looks now and then whether it is back.',
  reset: 'The partner cuts every connection. Usher cannot know whether a message arrived, so it sends it again.',
  own: 'The partner answers as it was told on the command line.',
}

function drawMessage(message, you) {
  const item = make('li')
  const time = make('time', '', message.at.slice(11, 19))
  time.dateTime = message.at
  const who = make('div', 'who')
  for (const user of message.users) {
    const line = make('p')
    line.append(make('span', user.id === you ? 'chip you' : 'chip', user.id === you ? `${user.id} (you)` : user.id))
    const words = [...user.joined.map((name) => `joined ${name}`), ...user.left.map((name) => `left ${name}`)]
    line.append(` ${words.length > 0 ? words.join(', ') : 'nothing new'}`)
    who.append(line)
  }
  if (message.users.length === 0) who.append(make('p', 'bad', 'not readable'))
  const verdicts = make('div', 'verdicts')
  const [signatureClass, signatureText] = SIGNATURES[message.signature]
  verdicts.append(make('span', signatureClass, signatureText))
  verdicts.append(
    message.shape === 'good' ? make('span', 'good', '✓ shape as documented') : make('span', 'bad', '✗ shape wrong'),
  )
  const isAccepted = /^2/.test(message.answer)
  verdicts.append(make('span', isAccepted ? 'good' : 'bad', `answered ${message.answer}`))
  if (message.isRepeat) verdicts.append(make('span', 'warn', 'a repeat'))
  item.append(time, who, verdicts)
  if (message.complaints.length > 0) item.append(make('div', 'complaints bad', message.complaints.join('; ')))
  return item
}

function drawAudience(audience, you) {
  const box = make('div')
  const title = make('h3')
  title.append(make('span', '', audience.name), make('span', '', String(audience.size)))
  const chips = make('div', 'chips')
  for (const id of audience.latest) chips.append(make('span', id === you ? 'chip you' : 'chip', id))
  if (audience.size > audience.latest.length)
    chips.append(make('span', 'empty', `and ${audience.size - audience.latest.length} more`))
  box.append(title, chips)
  return box
}

function storyOf(view) {
  const story = STORIES[view.behaviour]
  if (view.owed > 0) return `${story} Still owed: ${view.owed}.`
  return view.recovered > 0 ? `${story} Everything that was refused has arrived since.` : story
}

function draw(view) {
  for (const name of ['accepted', 'refused', 'owed', 'recovered']) byId(name).textContent = String(view[name])
  for (const button of document.querySelectorAll('[data-preset]'))
    button.setAttribute('aria-pressed', String(button.dataset.preset === view.behaviour))
  // A live region is read out whenever it is written: only when there is something else to say.
  if (byId('story').textContent !== storyOf(view)) byId('story').textContent = storyOf(view)
  byId('you').textContent = view.you
    ? `This partner knows your browser as ${view.you}.`
    : 'This partner does not know your browser. Visit the shop and accept: the ID sync makes you known here.'
  if (view.audiences.length > 0)
    byId('audiences').replaceChildren(...view.audiences.map((one) => drawAudience(one, view.you)))
  if (view.messages.length > 0)
    byId('messages').replaceChildren(...view.messages.map((one) => drawMessage(one, view.you)))
}

const live = new EventSource('/page/live')
live.onopen = () => {
  byId('link').textContent = 'Live.'
}
live.onerror = () => {
  byId('link').textContent = 'The partner cannot be reached; trying again …'
}
live.onmessage = (event) => draw(JSON.parse(event.data))

for (const button of document.querySelectorAll('[data-preset]'))
  button.addEventListener('click', () =>
    fetch('/page/behaviour', { method: 'POST', body: button.dataset.preset }).catch(() => live.onerror()),
  )
