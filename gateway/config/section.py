"""What all sections of the configuration share."""

from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationInfo, field_validator


class Section(BaseModel):
    """They never change once loaded, and refuse keys they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _what_is_needed_is_there(cls, value: Any, field: ValidationInfo) -> Any:
        """An empty secret is none; a key that is left out has its default, which is not asked."""
        said = value.get_secret_value() if isinstance(value, SecretStr) else value
        is_needed = isinstance(value, SecretStr) or cls.model_fields[str(field.field_name)].is_required()
        if is_needed and said == "":
            raise ValueError("is empty; write what belongs here, or remove the key")
        return value
