"""Product information from Akeneo."""
