import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router'
import type { OverviewWindow } from './api/shapes.ts'
import { Frame } from './frame/frame.tsx'
import { NoSuchPage } from './frame/no-such-page.tsx'
import { readDeliveryFilter } from './messages/delivery-filter.ts'
import { MessagesPage } from './messages/messages-page.tsx'
import { OverviewPage } from './overview/overview-page.tsx'
import { ProfilePage } from './profiles/profile-page.tsx'
import { ProfilesPage } from './profiles/profiles-page.tsx'
import { isStoryKind, type StoryKind } from './profiles/story-kinds.ts'

const root = createRootRoute({ component: Frame, notFoundComponent: NoSuchPage })

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: ({ window }): { window?: OverviewWindow } => (window === '1h' || window === '24h' ? { window } : {}),
  component: OverviewPage,
})
const messages = createRoute({
  getParentRoute: () => root,
  path: '/messages',
  validateSearch: readDeliveryFilter,
  component: MessagesPage,
})
const message = createRoute({
  getParentRoute: () => root,
  path: '/messages/$id',
  validateSearch: readDeliveryFilter,
  component: MessagesPage,
})
const profiles = createRoute({ getParentRoute: () => root, path: '/profiles', component: ProfilesPage })
const profile = createRoute({
  getParentRoute: () => root,
  path: '/profiles/$id',
  validateSearch: ({ segmentId, show }): { segmentId?: number; show?: StoryKind } => ({
    ...(/^\d{1,10}$/.test(String(segmentId)) ? { segmentId: Number(segmentId) } : {}),
    ...(isStoryKind(show) ? { show } : {}),
  }),
  component: ProfilePage,
})

export const router = createRouter({
  routeTree: root.addChildren([overview, messages, message, profiles, profile]),
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
