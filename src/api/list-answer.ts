import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { PAGE_SIZE_DEFAULT } from '../contract.ts'
import { jsonInSlices } from '../lib/json-slices.ts'
import { runInSlices } from '../lib/slices.ts'
import type { Listing } from '../store/catalog/listing.ts'

type View<Item> = (items: readonly Item[]) => readonly unknown[] | Promise<readonly unknown[]>

/**
 * Answers a list: a page of it when the request asks for one, else all of it as a bare array. Both are streamed in portions,
 * so that neither their size nor a slow reader costs memory or holds up events [API-24].
 */
export async function sendList<Item>(
  reply: FastifyReply,
  listing: Listing<Item>,
  query: { readonly page?: number | undefined; readonly pageSize?: number | undefined },
  view: View<Item>,
): Promise<void> {
  const send = (text: AsyncIterable<string>) => reply.type('application/json; charset=utf-8').send(Readable.from(text))
  if (query.page === undefined && query.pageSize === undefined) return send(textOf(listing.portions(), view, '[', ']'))
  const { page = 0, pageSize = PAGE_SIZE_DEFAULT } = query
  const opening = `{"total":${await listing.count()},"page":${page},"pageSize":${pageSize},"list":[`
  return send(textOf(listing.portions({ offset: page * pageSize, limit: pageSize }), view, opening, ']}'))
}

/** The opening comes with the first portion: what fails until then is answered as a failure. */
async function* textOf<Item>(
  portions: AsyncIterable<readonly Item[]>,
  view: View<Item>,
  opening: string,
  closing: string,
): AsyncGenerator<string> {
  let before = opening
  for await (const items of portions) {
    if (items.length === 0) continue
    const pieces = await runInSlices(jsonInSlices(await view(items)))
    yield before + pieces.join('').slice(1, -1)
    before = ','
  }
  yield before === opening ? opening + closing : closing
}
