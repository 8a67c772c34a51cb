import type { Page } from 'playwright-core'
import { DEAD, DEVICE, PARTNER_ID, RETRIED } from './recorded-answers.ts'

/** Every page and state that can be seen. `act` brings it there, `shows` is a text that says it is there. */
export const PAGES: readonly {
  readonly name: string
  readonly path: string
  readonly shows: string
  readonly server?: 'empty' | 'signed-out'
  readonly act?: (page: Page) => Promise<void>
}[] = [
  { name: 'overview', path: '/', shows: 'Halden DSP is not taking messages' },
  {
    name: 'overview-table',
    path: '/?window=1h',
    shows: 'See as drawing',
    act: (page) => page.getByRole('button', { name: 'See as table' }).click(),
  },
  { name: 'overview-empty', path: '/', shows: 'No event yet', server: 'empty' },
  {
    name: 'delivery',
    path: '/',
    shows: 'Not taking messages: the partner answered 503. Next try',
    act: (page) => page.getByRole('button', { name: 'Delivery to Halden DSP' }).click(),
  },
  {
    name: 'delivery-paused',
    path: '/',
    shows: 'the partner answered 410, gone',
    act: (page) => page.getByRole('button', { name: 'Delivery to Corvid Social' }).click(),
  },
  { name: 'destinations', path: '/destinations', shows: 'Not taking messages: the partner answered 503' },
  { name: 'destinations-empty', path: '/destinations', shows: 'No destination yet', server: 'empty' },
  {
    name: 'destinations-no-result',
    path: '/destinations',
    shows: 'No destination has this name',
    act: (page) => page.getByRole('textbox').fill('nobody'),
  },
  { name: 'destination', path: '/destinations/423', shows: 'Winter boots intenders as WB-100101, from 2 November' },
  {
    name: 'destination-unmap',
    path: '/destinations/423',
    shows: 'The partner hears nothing more of this segment.',
    act: (page) => page.getByRole('button', { name: 'Remove Winter boots intenders' }).click(),
  },
  { name: 'destination-unknown', path: '/destinations/999', shows: 'There is no such destination' },
  { name: 'destination-new', path: '/destinations/new', shows: 'Data sources whose IDs name the users' },
  {
    name: 'destination-edit',
    path: '/destinations/423/edit',
    shows: 'more settings',
    act: (page) => page.getByText('more settings').first().click(),
  },
  { name: 'messages', path: '/messages', shows: 'Choose a message' },
  { name: 'messages-empty', path: '/messages', shows: 'No message yet', server: 'empty' },
  { name: 'messages-no-result', path: '/messages?q=nothing', shows: 'No message matches' },
  { name: 'message', path: `/messages/${RETRIED}`, shows: 'Users in this message' },
  {
    name: 'message-headers',
    path: `/messages/${RETRIED}`,
    shows: 'webhook-id',
    act: (page) => page.getByRole('tab', { name: /Headers/ }).click(),
  },
  { name: 'message-dead', path: `/messages/${DEAD}?status=dead`, shows: 'Given up' },
  { name: 'message-unknown', path: '/messages/dl_none', shows: 'There is no such message' },
  {
    name: 'replay',
    path: `/messages/${DEAD}`,
    shows: '1 message goes out again.',
    act: (page) => page.getByRole('button', { name: 'Replay…' }).click(),
  },
  {
    name: 'replays',
    path: '/messages',
    shows: '2 of 3 accepted',
    act: (page) => page.getByRole('button', { name: 'Replays' }).click(),
  },
  {
    name: 'replay-result',
    path: '/messages',
    shows: '3 messages: all done.',
    async act(page) {
      await page.getByRole('button', { name: 'Replays' }).click()
      await page.getByRole('button', { name: '2 of 3 accepted' }).click()
    },
  },
  { name: 'profiles', path: '/profiles', shows: 'Find profile' },
  { name: 'profile', path: `/profiles/${DEVICE}`, shows: 'Leaves on 24 November' },
  {
    name: 'profile-partner',
    path: `/profiles/${encodeURIComponent(PARTNER_ID)}`,
    shows:
      'Nothing is kept under this ID itself. Shown is the device it named last, synced 18 Nov 20:41; 1 other device',
  },
  { name: 'profile-unknown', path: '/profiles/77052:none', shows: 'Nothing is known of this profile' },
  {
    name: 'search',
    path: '/',
    shows: 'Winter boots intenders Segment',
    act: async (page) => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Part of a name' }).fill('boots')
      await page.getByRole('option').first().waitFor()
    },
  },
  {
    name: 'keys',
    path: '/',
    shows: 'Replay the message (asks first)',
    act: (page) => page.keyboard.press('?'),
  },
  {
    name: 'user-menu',
    path: '/',
    shows: 'Sign out',
    act: (page) => page.getByRole('button', { name: /account of/ }).click(),
  },
  { name: 'sign-in', path: '/', shows: 'usher link', server: 'signed-out' },
  { name: 'no-page', path: '/nowhere', shows: 'There is no such page' },
]
