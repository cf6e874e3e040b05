{% macro url_host(url) %}split_part(split_part({{ url }}, '//', 2), '/', 1){% endmacro %}
