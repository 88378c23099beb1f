package heddle.engines;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.netflix.eureka.server.EnableEurekaServer;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;

/** A Eureka server. With the property spring.security.user.name it asks for that user by HTTP Basic. */
@SpringBootApplication
@EnableEurekaServer
public class EurekaMain {
  public static void main(String[] args) {
    SpringApplication.run(EurekaMain.class, args);
  }

  @Bean
  SecurityFilterChain security(HttpSecurity http, Environment environment) throws Exception {
    boolean open = environment.getProperty("spring.security.user.name") == null;
    http.csrf(csrf -> csrf.disable());
    http.authorizeHttpRequests(any -> {
      if (open) any.anyRequest().permitAll();
      else any.anyRequest().authenticated();
    });
    return http.httpBasic(Customizer.withDefaults()).build();
  }
}
