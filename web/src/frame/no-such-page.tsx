import { Link } from '@tanstack/react-router'
import { Empty } from '../parts/answers.tsx'
import { useWords } from '../words/use-words.tsx'

export function NoSuchPage() {
  const { t } = useWords()
  return (
    <div className="card">
      <h1 className="hidden">{t('frame.noPage')}</h1>
      <Empty
        title={t('frame.noPage')}
        step={
          <Link to="/" search={{}}>
            {t('overview.title')}
          </Link>
        }
      >
        {t('frame.noPageWhy')}
      </Empty>
    </div>
  )
}
