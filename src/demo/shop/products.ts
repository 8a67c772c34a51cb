/** What the demo shop sells. Generated visitors look at the same products as people do. */
export type Category = 'shoes' | 'tents' | 'jackets'

export interface Product {
  /** In addresses and in the signal `c_product`. */
  readonly slug: string
  readonly category: Category
  readonly name: string
  readonly price: number
  readonly text: string
  /** Main and second colour of its picture. */
  readonly colours: readonly [string, string]
}

export const SHOP_NAME = 'Kestrel & Pine'

export const CATEGORIES: Readonly<Record<Category, string>> = { shoes: 'Shoes', tents: 'Tents', jackets: 'Jackets' }

export const PRODUCTS: readonly Product[] = [
  {
    slug: 'trail-runner',
    category: 'shoes',
    name: 'Ridgeline Trail Runner',
    price: 129,
    text: 'Light, grippy, quick to dry. For paths that are more stone than path.',
    colours: ['#c4552d', '#3d2b24'],
  },
  {
    slug: 'city-boot',
    category: 'shoes',
    name: 'Harrow City Boot',
    price: 159,
    text: 'Oiled leather and a cork sole: from the last bus stop to the first summit.',
    colours: ['#7a5230', '#2e2118'],
  },
  {
    slug: 'sandal',
    category: 'shoes',
    name: 'Brook Sandal',
    price: 69,
    text: 'Three straps, no fuss. Walks through the water as well as beside it.',
    colours: ['#3f7d78', '#22403d'],
  },
  {
    slug: 'ridge-2',
    category: 'tents',
    name: 'Halden Ridge 2',
    price: 349,
    text: 'Two people, two doors, 1.9 kg. Stands in four minutes, also in the dark.',
    colours: ['#d79a2b', '#6b4a12'],
  },
  {
    slug: 'dome-4',
    category: 'tents',
    name: 'Larch Dome 4',
    price: 499,
    text: 'Room for a family and its wet dog. Holds in wind that bends the larches.',
    colours: ['#4f7a3a', '#26401b'],
  },
  {
    slug: 'tarp',
    category: 'tents',
    name: 'Fell Solo',
    price: 229,
    text: 'One person, one pole, 980 g. A roof where there was only a view.',
    colours: ['#b04a3a', '#4a1d17'],
  },
  {
    slug: 'rain-shell',
    category: 'jackets',
    name: 'Mistral Rain Shell',
    price: 189,
    text: 'Three layers against sideways rain; packs into its own pocket.',
    colours: ['#2f6ea5', '#173a59'],
  },
  {
    slug: 'down-parka',
    category: 'jackets',
    name: 'Corrie Down Parka',
    price: 279,
    text: 'Recycled down for standing still where others keep walking.',
    colours: ['#8a3a52', '#45192a'],
  },
]

const bySlug = new Map(PRODUCTS.map((product) => [product.slug, product]))

export function productOf(slug: string): Product | undefined {
  return bySlug.get(slug)
}

export function productsOf(category: Category): readonly Product[] {
  return PRODUCTS.filter((product) => product.category === category)
}

export function isCategory(text: string): text is Category {
  return text in CATEGORIES && Object.hasOwn(CATEGORIES, text)
}

const OUTLINES: Readonly<Record<Category, string>> = {
  shoes:
    '<path fill="A" d="M50 70h52l14 34c24 8 52 12 66 26 6 6 6 18 4 26H46c-6-26-4-58 4-86z"/><path fill="B" d="M44 156h144v12c0 6-4 10-10 10H54c-6 0-10-4-10-10z"/><path stroke="B" stroke-width="6" stroke-linecap="round" d="M98 108l18-10M108 124l18-12M120 138l16-14"/>',
  tents:
    '<path fill="A" d="M120 50l96 126H24z"/><path fill="B" d="M120 92l34 84H86z"/><path stroke="B" stroke-width="6" stroke-linecap="round" d="M120 50v-14M24 176H12M216 176h12"/>',
  jackets:
    '<path fill="A" d="M92 46c10 12 46 12 56 0l34 16 24 84-30 10-10-36v72H74v-72l-10 36-30-10 24-84z"/><path stroke="B" stroke-width="6" stroke-linecap="round" fill="none" d="M120 58v132M88 132h16M136 132h16M94 48c6 26 46 26 52 0"/>',
}

/** Products that look unlike the others of their category. */
const OWN_OUTLINES: Readonly<Record<string, string>> = {
  sandal:
    '<path fill="A" d="M46 162c-2-36 6-62 24-72l14 14c-12 10-16 30-14 58zM112 162c2-36 20-56 42-56s38 24 42 56h-24c-2-22-9-34-18-34s-16 12-18 34z"/><path stroke="A" stroke-width="12" stroke-linecap="round" d="M74 98c22 20 40 26 66 20"/><path fill="B" d="M38 158h164v8c0 10-6 16-14 16H54c-10 0-16-8-16-16z"/><circle fill="B" cx="104" cy="117" r="5"/>',
  'trail-runner':
    '<path fill="A" d="M44 106c8 6 18 8 30 6l26-22c18 24 40 36 74 40 20 2 24 12 24 28H44c-4-18-4-36 0-52z"/><path fill="B" d="M42 158h156v10c0 6-4 12-12 12H54c-8 0-12-6-12-12z"/><path stroke="B" stroke-width="6" stroke-linecap="round" d="M94 118l16-14M108 130l16-14M124 140l14-14"/>',
}

/** A drawing of the product, as an SVG document. */
export function drawProduct({ slug, category, colours: [main, second] }: Product): string {
  const outline = (OWN_OUTLINES[slug] ?? OUTLINES[category])
    .replaceAll('"A"', `"${main}"`)
    .replaceAll('"B"', `"${second}"`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 210" fill="none"><rect width="240" height="210" fill="#efe9dd"/><ellipse cx="120" cy="184" rx="96" ry="10" fill="#ddd3c1"/>${outline}</svg>`
}
