import { Link } from '@tanstack/react-router'
import { IconDestinations, IconMessages, IconOverview, IconProfiles } from '../parts/icons.ts'
import { useWords } from '../words/use-words.tsx'

/** Pages in the order that never changes; one that does not exist yet is absent. */
export function Navigation() {
  const { t } = useWords()
  return (
    <nav className="navigation" aria-label={t('frame.navigation')}>
      <Link to="/" search={{}} className="brand" aria-label={t('frame.home')}>
        <img src="/usher.svg" width={24} height={24} alt="" />
        <span>Usher</span>
      </Link>
      <ul>
        <li>
          <Link to="/" search={{}} activeOptions={{ exact: true, includeSearch: false }} className="nav-link">
            <IconOverview size={16} aria-hidden />
            <span>{t('overview.title')}</span>
          </Link>
        </li>
      </ul>
      <p className="nav-group">
        <span>{t('frame.deliver')}</span>
      </p>
      <ul>
        <li>
          <Link to="/destinations" activeOptions={{ includeSearch: false }} className="nav-link">
            <IconDestinations size={16} aria-hidden />
            <span>{t('destinations.title')}</span>
          </Link>
        </li>
        <li>
          <Link to="/messages" activeOptions={{ includeSearch: false }} className="nav-link">
            <IconMessages size={16} aria-hidden />
            <span>{t('messages.title')}</span>
          </Link>
        </li>
      </ul>
      <p className="nav-group">
        <span>{t('frame.people')}</span>
      </p>
      <ul>
        <li>
          <Link to="/profiles" activeOptions={{ includeSearch: false }} className="nav-link">
            <IconProfiles size={16} aria-hidden />
            <span>{t('profiles.title')}</span>
          </Link>
        </li>
      </ul>
    </nav>
  )
}
