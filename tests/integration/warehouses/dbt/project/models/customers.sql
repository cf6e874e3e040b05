-- What each user has bought, beside what is known of them.
select
    users.id as user_id,
    users.email,
    users.plan,
    count(orders.id) as orders,
    coalesce(sum(orders.revenue), 0) as revenue
from {{ source('headwater', 'users') }} as users
left join {{ source('headwater', 'order_completed') }} as orders on orders.user_id = users.id
group by users.id, users.email, users.plan
