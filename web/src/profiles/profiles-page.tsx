import { useWords } from '../words/use-words.tsx'
import { ProfileSearch } from './profile-search.tsx'

export function ProfilesPage() {
  const { t } = useWords()
  return (
    <>
      <div className="title-row">
        <h1>{t('profiles.title')}</h1>
      </div>
      <div className="card profile-search">
        <ProfileSearch />
        <p className="dim small">{t('profiles.how')}</p>
      </div>
    </>
  )
}
