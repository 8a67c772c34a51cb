import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { PAGE_SIZE_DEFAULT } from '../contract.ts'
import type { Listing } from '../store/catalog/listing.ts'

/**
 * Answers a list: a page of it when the request asks for one, else all of it as a bare array, streamed, so that neither
 * its size nor a slow reader costs memory [API-24].
 */
export async function sendList<Item>(
  reply: FastifyReply,
  listing: Listing<Item>,
  query: { readonly page?: number | undefined; readonly pageSize?: number | undefined },
  view: (items: readonly Item[]) => readonly unknown[] | Promise<readonly unknown[]>,
): Promise<void> {
  if (query.page !== undefined || query.pageSize !== undefined) {
    const page = query.page ?? 0
    const pageSize = query.pageSize ?? PAGE_SIZE_DEFAULT
    const { total, list } = await listing.page(page, pageSize)
    await reply.send({ total, page, pageSize, list: await view(list) })
    return
  }
  await reply.type('application/json; charset=utf-8').send(Readable.from(jsonArray(listing, view)))
}

async function* jsonArray<Item>(
  listing: Listing<Item>,
  view: (items: readonly Item[]) => readonly unknown[] | Promise<readonly unknown[]>,
): AsyncGenerator<string> {
  let separator = '['
  for await (const items of listing.stream()) {
    const texts = (await view(items)).map((item) => JSON.stringify(item))
    if (texts.length === 0) continue
    yield separator + texts.join(',')
    separator = ','
  }
  yield separator === '[' ? '[]' : ']'
}
