import {
  ActionIcon,
  Button,
  type CSSVariablesResolver,
  createTheme,
  type MantineColorsTuple,
  Modal,
  SegmentedControl,
  Select,
  Tabs,
  TextInput,
} from '@mantine/core'

const tuple = (text: string) => text.split(' ') as unknown as MantineColorsTuple

/** Colours of the library's own parts. Components use the roles in styles/roles.css, never these names. */
export const theme = createTheme({
  primaryColor: 'petrol',
  primaryShade: 7,
  autoContrast: true,
  focusRing: 'auto',
  respectReducedMotion: true,
  fontFamily: '"Inter Variable", system-ui, sans-serif',
  fontFamilyMonospace: '"JetBrains Mono Variable", ui-monospace, monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '3px', sm: '6px', md: '8px', lg: '10px', xl: '14px' },
  defaultRadius: 'sm',
  colors: {
    petrol: tuple('#eef7f8 #dceef1 #b6dce3 #8bc8d3 #5fb2c1 #3a9bad #1f8195 #0c6478 #0a5263 #073e4b'),
    gray: tuple('#faf9f6 #f3f1ec #e6e3db #d5d1c6 #b9b4a8 #8d8a82 #6a6c6d #53575b #353a3f #1b1f23'),
    dark: tuple('#e8eaeb #c3c9cd #a5adb3 #7f888f #4a5359 #333b41 #262d32 #181c1f #121618 #0c0f11'),
    leaf: tuple('#f1f8f0 #e2f1e0 #c3e2c0 #9fd09c #7abb78 #5aa659 #438d45 #2b6a2f #235627 #183d1b'),
    amber: tuple('#fef8ea #fcefd2 #f9dfa3 #f4cb6b #ebb440 #dd9d22 #b97c10 #835100 #6a4100 #4a2d00'),
    brick: tuple('#fdf3f1 #fae4df #f3c4bb #eaa092 #df7b69 #d25a46 #bb4330 #9d2e1e #802417 #591910'),
    iris: tuple('#f6f4fa #ebe7f4 #d6cee8 #bcb0d9 #a293c9 #8a79b8 #7261a3 #574680 #473969 #33294b'),
  },
  components: {
    Button: Button.extend({ defaultProps: { size: 'xs' } }),
    TextInput: TextInput.extend({ defaultProps: { size: 'xs' } }),
    Select: Select.extend({ defaultProps: { size: 'xs' } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { size: 'xs' } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: 'subtle', color: 'gray' } }),
    // Without the scroll lock: its library adds style elements that carry no nonce.
    Modal: Modal.extend({ defaultProps: { lockScroll: false, centered: true, radius: 'lg' } }),
  },
})

const roles = {
  '--mantine-color-body': 'var(--canvas)',
  '--mantine-color-text': 'var(--text)',
  '--mantine-color-dimmed': 'var(--dim)',
  '--mantine-color-default': 'var(--card)',
  '--mantine-color-default-border': 'var(--line-2)',
  '--mantine-color-default-color': 'var(--text)',
  '--mantine-color-placeholder': 'var(--faint)',
  '--mantine-color-error': 'var(--dead-text)',
  '--mantine-color-anchor': 'var(--accent)',
}

export const resolveRoles: CSSVariablesResolver = () => ({
  variables: {},
  light: roles,
  dark: {
    ...roles,
    '--mantine-color-petrol-filled': '#157387',
    '--mantine-color-petrol-filled-hover': '#0f6375',
    '--mantine-primary-color-filled': '#157387',
    '--mantine-primary-color-filled-hover': '#0f6375',
  },
})
