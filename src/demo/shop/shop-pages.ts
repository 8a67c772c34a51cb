import { CATEGORIES, type Category, PRODUCTS, type Product, productsOf, SHOP_NAME } from './products.ts'

/** What stands on each page of the shop, and the signals that the page tag sends for it. Plain functions to HTML. */
export interface Page {
  readonly title: string
  readonly signals: Readonly<Record<string, string>>
  readonly body: string
}

/** What every page needs to know beside its own content. */
export interface Frame {
  readonly edgeUrl: string
  readonly partnerUrl: string
  readonly adminUrl: string
  readonly consent: 'yes' | 'no' | undefined
  /** An earlier page of this visitor was shown with consent. */
  readonly hasMet: boolean
  readonly basketSize: number
  readonly visitorsWalk: boolean
  /** Path and query, to come back to. */
  readonly here: string
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

const nav = (Object.keys(CATEGORIES) as Category[])
  .map((category) => `<a href="/${category}">${CATEGORIES[category]}</a>`)
  .join('')

function card({ slug, name, price }: Product): string {
  return `<a class="card" href="/products/${slug}"><img src="/images/${slug}.svg" alt="" width="240" height="210"><strong>${name}</strong><span>€ ${price}</span></a>`
}

export function homePage(): Page {
  return {
    title: 'Outdoor outfitters',
    signals: { page: 'home' },
    body: `<div class="hero"><h1>For weather that means it.</h1><p>Shoes, tents and jackets by people who get wet themselves.</p></div>
<div class="cards">${PRODUCTS.map(card).join('')}</div>`,
  }
}

export function categoryPage(category: Category): Page {
  return {
    title: CATEGORIES[category],
    signals: { page: 'category' },
    body: `<h1>${CATEGORIES[category]}</h1><div class="cards">${productsOf(category).map(card).join('')}</div>`,
  }
}

export function productPage({ slug, category, name, price, text }: Product): Page {
  return {
    title: name,
    signals: { page: 'product', category, product: slug },
    body: `<div class="product"><img src="/images/${slug}.svg" alt="Drawing of the ${name}" width="480" height="420">
<div><p class="crumb"><a href="/${category}">${CATEGORIES[category]}</a></p><h1>${name}</h1><p>${text}</p><p class="price">€ ${price}</p>
<form method="post" action="/basket"><input type="hidden" name="product" value="${slug}"><button class="buy">Put into the basket</button></form></div></div>`,
  }
}

/** @param added what was put in just now: the page of it sends the event, and no other view of the basket does */
export function basketPage(basket: readonly Product[], added: Product | undefined): Page {
  const sum = basket.reduce((total, { price }) => total + price, 0)
  const rows = basket.map(
    ({ slug, name, price }) => `<tr><td><a href="/products/${slug}">${name}</a></td><td>€ ${price}</td></tr>`,
  )
  const full = `<table><thead><tr><th scope="col">Product</th><th scope="col">Price</th></tr></thead><tbody>${rows.join('')}</tbody><tfoot><tr><th scope="row">Together</th><td>€ ${sum}</td></tr></tfoot></table>
<form method="post" action="/order"><button class="buy">Order, it is only a demo</button></form>`
  return {
    title: 'Basket',
    signals: added === undefined ? { page: 'basket' } : { page: 'basket', event: 'basket', category: added.category },
    body: `<h1>Your basket</h1>${basket.length === 0 ? '<p>It is empty. <a href="/">Look around</a>.</p>' : full}`,
  }
}

/** @param isNew the order was placed just now */
export function thanksPage(isNew: boolean): Page {
  return {
    title: 'Thank you',
    signals: isNew ? { page: 'thanks', event: 'order' } : { page: 'thanks' },
    body: `<h1>Thank you for your order.</h1><p>Nothing will be sent, to your door at least. <a href="/">Back to the shop</a></p>`,
  }
}

export function missingPage(): Page {
  return {
    title: 'Not here',
    signals: { page: 'missing' },
    body: '<h1>This page is not here.</h1><p><a href="/">Back to the shop</a></p>',
  }
}

export function renderPage({ title, signals, body }: Page, frame: Frame): string {
  const { edgeUrl, consent, here, basketSize } = frame
  const data = escapeHtml(JSON.stringify(signals))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} | ${escapeHtml(SHOP_NAME)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/shop/style.css">
<script src="/shop/tag-queue.js"></script>
<script src="${escapeHtml(edgeUrl)}/tag.js" data-consent="required" async></script>
<script src="/shop/shop.js" defer></script>
</head>
<body data-signals="${data}" data-consent="${consent ?? ''}">
<header><div class="wide"><a class="brand" href="/">${escapeHtml(SHOP_NAME)}</a><nav aria-label="Shop">${nav}<a class="basket" href="/basket">Basket${basketSize > 0 ? ` (${basketSize})` : ''}</a></nav></div></header>
${consent === undefined ? banner(here) : ''}
<div class="wide columns"><main>${body}</main><div class="side">${panel(frame)}</div></div>
${consent === 'yes' ? pixels(frame, signals) : ''}
</body>
</html>
`
}

function banner(here: string): string {
  return `<form class="banner" method="post" action="/consent" aria-label="Your privacy"><div class="wide"><p class="ask"><strong>May we remember what you look at?</strong> With your consent this shop tells Usher, on this machine, and Usher tells the demo partner which audiences you are in. Nothing is stored or sent before you choose.</p>
<input type="hidden" name="back" value="${escapeHtml(here)}"><div class="choices"><button name="choice" value="yes">Accept</button> <button name="choice" value="no">Decline</button></div></div></form>`
}

function panel({ consent, here, partnerUrl, adminUrl, visitorsWalk }: Frame): string {
  const back = `<input type="hidden" name="back" value="${escapeHtml(here)}">`
  return `<aside aria-labelledby="demo"><h2 id="demo">Behind this demo</h2>
<ul class="links"><li><a href="${escapeHtml(partnerUrl)}/">What the partner got</a></li><li><a href="${escapeHtml(adminUrl)}/">Usher itself</a></li></ul>
<form method="post" action="/visitors">${back}<p class="said">Generated visitors ${visitorsWalk ? 'are walking' : 'are paused'}.</p><button name="running" value="${!visitorsWalk}">${visitorsWalk ? 'Pause them' : 'Let them walk'}</button></form></aside>
<aside aria-labelledby="heard"><h2 id="heard">What Usher heard</h2>${choice(consent, back)}
<noscript><p>Without JavaScript two small images tell Usher and the partner, and this list stays empty.</p></noscript>
<p id="now" role="status"></p><ol id="steps"></ol></aside>`
}

function choice(consent: Frame['consent'], back: string): string {
  if (consent === undefined)
    return '<p>Nothing: you have not chosen yet. Accept in the banner, then look at two pairs of shoes.</p>'
  const [said, other, label] =
    consent === 'yes'
      ? ['You accepted.', 'no', 'Decline after all']
      : ['You declined: from here on nothing is stored or sent.', 'yes', 'Accept after all']
  return `<form method="post" action="/consent">${back}<p class="said">${said}</p><button name="choice" value="${other}">${label}</button></form>`
}

/**
 * For browsers without JavaScript; only where the visitor has accepted. The partner's ID sync waits for the second page:
 * on the first the edge has not answered yet, and would take the two images for two visitors.
 */
function pixels({ edgeUrl, partnerUrl, hasMet }: Frame, signals: Page['signals']): string {
  const query = new URLSearchParams(
    Object.entries(signals).map(([name, value]): [string, string] => [`c_${name}`, value]),
  )
  const addresses = [`${edgeUrl}/event?${query}`, ...(hasMet ? [`${partnerUrl}/sync`] : [])]
  const images = addresses.map((address) => `<img src="${escapeHtml(address)}" alt="" width="1" height="1">`)
  return `<noscript>${images.join('')}</noscript>`
}
