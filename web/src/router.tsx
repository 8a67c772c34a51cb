import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router'
import { DestinationPage } from './destinations/destination-page.tsx'
import { DestinationsPage } from './destinations/destinations-page.tsx'
import { EditDestinationPage, NewDestinationPage } from './destinations/edit-page.tsx'
import { Frame } from './frame/frame.tsx'
import { NoSuchPage } from './frame/no-such-page.tsx'
import { readDeliveryFilter } from './messages/delivery-filter.ts'
import { MessagesPage } from './messages/messages-page.tsx'
import { readOverviewAddress } from './overview/address.ts'
import { OverviewPage } from './overview/overview-page.tsx'
import { readProfileAddress } from './profiles/address.ts'
import { ProfilePage } from './profiles/profile-page.tsx'
import { ProfilesPage } from './profiles/profiles-page.tsx'

// A page reads its address itself once more: what is not read comes through as it stands there, to be told.
const root = createRootRoute({ component: Frame, notFoundComponent: NoSuchPage })

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: readOverviewAddress,
  component: OverviewPage,
})
const destinations = createRoute({ getParentRoute: () => root, path: '/destinations', component: DestinationsPage })
const newDestination = createRoute({
  getParentRoute: () => root,
  path: '/destinations/new',
  component: NewDestinationPage,
})
const destination = createRoute({ getParentRoute: () => root, path: '/destinations/$id', component: DestinationPage })
const editDestination = createRoute({
  getParentRoute: () => root,
  path: '/destinations/$id/edit',
  component: EditDestinationPage,
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
  validateSearch: readProfileAddress,
  component: ProfilePage,
})

export const router = createRouter({
  routeTree: root.addChildren([
    ...[overview, destinations, newDestination, destination, editDestination],
    ...[messages, message, profiles, profile],
  ]),
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
