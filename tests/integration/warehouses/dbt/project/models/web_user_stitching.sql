-- The user that each device was last known to be of.
with known as (

    {% for table in ('identifies', 'tracks', 'pages') %}
    select anonymous_id, user_id, "timestamp", id from {{ source('headwater', table) }}
    where user_id is not null and anonymous_id is not null
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

numbered as (

    select *, row_number() over (partition by anonymous_id order by "timestamp" desc, id desc) as age
    from known

)

select anonymous_id, user_id
from numbered
where age = 1
