import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'

/**
 * The page that page libraries load in an iframe and send their ID syncs to [CLI-6], [COL-260]. Messages are texts
 * `---destpub-combined---` and entries joined by `%01`; an entry is `ibs|id|tag|urls|ttl|||fireURLSync`, each part
 * percent-encoded, several URLs joined by commas, the ttl in minutes. The page remembers in its own storage when it
 * fired which partner, fires only http and https addresses, and answers nothing.
 */
const script = `
(function () {
  'use strict'
  var PREFIX = /^---destpub(?:-combined|-debug)?---/
  var CLEAR = '---destpub-clear-dextp---'
  var ENTRIES_MAX = 200
  var KEY = 'usher.syncs'
  var fired = {}

  function decode(text) {
    try { return decodeURIComponent(text) } catch (e) { return '' }
  }
  function load() {
    try { return JSON.parse(localStorage.getItem(KEY)) || {} } catch (e) { return fired }
  }
  function save(times) {
    fired = times
    try { localStorage.setItem(KEY, JSON.stringify(times)) } catch (e) { /* No storage: this page remembers alone. */ }
  }
  function isDue(id, ttlMinutes) {
    var times = load()
    var now = Date.now()
    var last = Object.prototype.hasOwnProperty.call(times, id) ? times[id] : 0
    if (last > 0 && last <= now && now - last < ttlMinutes * 60000) return false
    times[id] = now
    save(times)
    return true
  }
  function fire(tag, url) {
    if (url.slice(0, 2) === '//') url = location.protocol + url
    if (!/^https?:/i.test(url)) return
    var element = document.createElement(tag === 'iframe' ? 'iframe' : 'img')
    if (tag === 'iframe') element.setAttribute('sandbox', 'allow-scripts allow-same-origin')
    element.setAttribute('aria-hidden', 'true')
    element.hidden = true
    element.src = url
    document.body.appendChild(element)
  }
  function run(entry) {
    var parts = entry.split('|')
    if (parts[0] !== 'ibs' && parts[0] !== 'dests') return
    var id = decode(parts[1] || '')
    var tag = decode(parts[2] || '')
    var ttl = parts[0] === 'ibs' ? Number(decode(parts[4] || '')) || 0 : 0
    if (parts[0] === 'ibs' && !isDue(id, ttl)) return
    ;(parts[3] || '').split(',').forEach(function (url) { if (url) fire(tag, decode(url)) })
  }
  window.addEventListener('message', function (event) {
    var text = event.data
    if (typeof text !== 'string') return
    if (text.slice(0, CLEAR.length) === CLEAR) {
      save({})
      text = text.slice(CLEAR.length)
    }
    if (!PREFIX.test(text)) return
    text.replace(PREFIX, '').split('%01').slice(0, ENTRIES_MAX).forEach(run)
  })
})()
`

const page = Buffer.from(
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>ID syncs</title></head><body><script>${script}</script></body></html>\n`,
)

const scriptHash = createHash('sha256').update(script).digest('base64')

const head = [
  'Content-Type',
  'text/html;charset=utf-8',
  'Content-Length',
  String(page.length),
  'Cache-Control',
  'public, max-age=21600',
  'Content-Security-Policy',
  `default-src 'none'; script-src 'sha256-${scriptHash}'; img-src http: https:; frame-src http: https:; base-uri 'none'; form-action 'none'; frame-ancestors *`,
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
]

/** Static: no cookies, cacheable, may be framed from anywhere [COL-260], [SEC-21]. */
export function sendDest5(secure: boolean, response: ServerResponse): void {
  response.writeHead(200, secure ? [...head, 'Strict-Transport-Security', 'max-age=31536000'] : head)
  response.end(page)
}
