import js from '@eslint/js';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['lib/', 'atelier_toolbar/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['src/**/*.ts'],
    extends: [ts.configs.strictTypeChecked, ts.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Interfaces are named as JupyterLab names them: IStatus.
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          prefix: ['I']
        }
      ],
      // Lumino's signals take the method and its object apart: connect(this.on, this).
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true }
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true }
      ],
      eqeqeq: 'error'
    }
  },
  {
    files: ['*.cjs'],
    languageOptions: { globals: { module: true } }
  },
  {
    files: ['test/**/*.js'],
    languageOptions: {
      globals: { ReadableStream: false, TextEncoder: false, URL: false }
    }
  }
);
