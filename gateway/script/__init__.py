"""The browser script: its TypeScript source and the built asset that ships in the package."""
